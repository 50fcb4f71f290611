/**
 * The chat window's texts in the visitor's language. English is part of the script, and is shown where a language lacks
 * a text; other languages are loaded.
 */
import { parseJson } from "../../../shared/storage";
import en from "./en.json";
import { findLanguage } from "./language";
import { loadText } from "./loadText";

/** The languages that have a catalogue. The build sets them. */
declare const LANGUAGES: string;

export type Strings = typeof en;
/** A text with plural forms: `unread_one`, `unread_other`. */
type PluralKey = { [K in keyof Strings]: K extends `${infer Base}_other` ? Base : never }[keyof Strings];

/** The texts, and the language that they are in. */
export const strings: Strings = { ...en };
export const locale = { language: "en" };

/** Loads the texts in the language of a tag, where there are any. Where they cannot be loaded, they stay as they are. */
export async function loadStrings(origin: string, tag: string): Promise<void> {
  const language = findLanguage(tag, LANGUAGES.split(" "));
  if (language === locale.language) return;
  const text = language === "en" ? "{}" : await loadText(`${origin}/widget/${language}.json`);
  const loaded = parseJson<Partial<Strings> | null>(text || null, null);
  if (!loaded) return;
  Object.assign(strings, en, loaded);
  locale.language = language;
}

/** Replaces "{name}" in a text by the value of that name. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** The text for a number `n`, in the form that the language has for it. */
export function plural(key: PluralKey, n: number): string {
  const form = new Intl.PluralRules(locale.language).select(n) as "other";
  return format(strings[`${key}_${form}`] ?? strings[`${key}_other`], { n });
}
