/** The widget's texts in the visitor's language. English is part of the script; other languages are loaded. */
import { parseJson } from "../../../shared/storage";
import { loadText } from "../loadText";
import { en, type Strings } from "./en";

export const LANGUAGES: readonly string[] = ["en", "de", "fr", "es", "pt", "ar"];
const RIGHT_TO_LEFT = ["ar"];

/** The browser's language tag, such as "pt-BR". */
export const browserLanguage: string = navigator.language || "en";

/** The texts, and the language that they are in. */
export const strings: Strings = { ...en };
export const locale = { language: "en", isRightToLeft: false };

/** Loads the texts in the browser's language, where there are any. Without them they stay in English. */
export async function loadStrings(origin: string): Promise<void> {
  const language = findLanguage(browserLanguage);
  if (language === "en") return;
  const loaded = parseJson<Strings | null>(
    (await loadText(`${origin}/widget/${language}.json`)) || null,
    null,
  );
  if (!loaded) return;
  Object.assign(strings, loaded);
  locale.language = language;
  locale.isRightToLeft = RIGHT_TO_LEFT.includes(language);
}

export function findLanguage(tag: string): string {
  const primary = tag.split("-")[0]?.toLowerCase() ?? "";
  return LANGUAGES.includes(primary) ? primary : "en";
}

/** Replaces "{name}" in a text by the value of that name. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
