/** The widget's texts in all languages. A new language is one file here, one entry here and one in `LANGUAGES`. */
import { ar } from "./ar";
import { de } from "./de";
import { en, type Strings } from "./en";
import { es } from "./es";
import { fr } from "./fr";
import { pt } from "./pt";

export const CATALOGUES: Record<string, Strings> = { en, de, fr, es, pt, ar };

const LAUNCHER_KEYS = ["openChat", "closeChat", "unread", "loadFailed"] as const;

export type LauncherTexts = Pick<Strings, (typeof LAUNCHER_KEYS)[number]>;

/** The texts of the button, by language. The build puts them into the launcher, which loads no catalogue. */
export const launcherTexts = (): Record<string, LauncherTexts> =>
  Object.fromEntries(
    Object.entries(CATALOGUES).map(([language, strings]) => [
      language,
      Object.fromEntries(LAUNCHER_KEYS.map((key) => [key, strings[key]])) as LauncherTexts,
    ]),
  );
