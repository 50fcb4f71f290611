/** The widget's catalogues, for the build and for tests: one JSON file per language. Nothing else registers a language. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LATE_KEYS, type LateKey } from "./lateKeys";

type Catalogue = Record<string, string>;

const DIRECTORY = fileURLToPath(new URL(".", import.meta.url));

/** All catalogues, by language. Keys that a language lacks are shown in English. */
export const CATALOGUES: Record<string, Catalogue> = Object.fromEntries(
  readdirSync(DIRECTORY)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name.slice(0, -".json".length), JSON.parse(readFileSync(DIRECTORY + name, "utf8"))]),
);

/** What the build, and the tests, put into the scripts in place of these names. */
export const catalogueConstants = (): Record<string, string> => ({
  LANGUAGES: JSON.stringify(Object.keys(CATALOGUES).join(" ")),
  FIRST_TEXTS: englishTexts((key) => !LATE_KEYS.includes(key as LateKey)),
  LATE_TEXTS: englishTexts((key) => LATE_KEYS.includes(key as LateKey)),
});

const englishTexts = (select: (key: string) => boolean): string =>
  JSON.stringify(Object.fromEntries(Object.entries(CATALOGUES["en"] ?? {}).filter(([key]) => select(key))));
