/** The widget's texts in the visitor's language. A new language is one file here and one entry in `CATALOGUES`. */
import { ar } from "./ar";
import { de } from "./de";
import { en, type Strings } from "./en";
import { es } from "./es";
import { fr } from "./fr";
import { pt } from "./pt";

export const CATALOGUES: Record<string, Strings> = { en, de, fr, es, pt, ar };

const RIGHT_TO_LEFT = ["ar"];

/** The browser's language tag, such as "pt-BR". */
export const browserLanguage: string = navigator.language || "en";

/** The language of the texts: the browser's where there is a catalogue, else English. */
export const language: string = findLanguage(browserLanguage);

export const strings: Strings = CATALOGUES[language] ?? en;
export const isRightToLeft: boolean = RIGHT_TO_LEFT.includes(language);

export function findLanguage(tag: string): string {
  const primary = tag.split("-")[0]?.toLowerCase() ?? "";
  return Object.hasOwn(CATALOGUES, primary) ? primary : "en";
}

/** Replaces "{name}" in a text by the value of that name. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
