/**
 * The chat window's texts in the visitor's language. English is part of the script, and is shown where a language lacks
 * a text; other languages are loaded. `lateTexts.ts` has the texts of the parts that are loaded later.
 */
import { parseJson } from "../../../shared/storage";
import type en from "./en.json";
import { findLanguage } from "./language";
import type { LateKey } from "./lateKeys";
import { loadText } from "./loadText";

/** The languages that have a catalogue. The build sets them. */
declare const LANGUAGES: string;
/** The English texts without those of `LATE_KEYS`. The build sets them. */
declare const FIRST_TEXTS: FirstStrings;

export type Strings = typeof en;
type FirstStrings = Omit<Strings, LateKey>;
/** A text with plural forms: `unread_one`, `unread_other`. */
type PluralKey = {
  [K in keyof FirstStrings]: K extends `${infer Base}_other` ? Base : never;
}[keyof FirstStrings];

const english: Partial<Strings> = FIRST_TEXTS;
/** The texts, and the language that they are in. */
export const strings: FirstStrings = { ...FIRST_TEXTS };
export const locale = { language: "en" };

/** Loads the texts in the language of a tag, where there are any. Where they cannot be loaded, they stay as they are. */
export async function loadStrings(origin: string, tag: string): Promise<void> {
  const language = findLanguage(tag, LANGUAGES.split(" "));
  if (language === locale.language) return;
  const text = language === "en" ? "{}" : await loadText(`${origin}/widget/${language}.json`);
  const loaded = parseJson<Partial<Strings> | null>(text || null, null);
  if (!loaded) return;
  Object.assign(strings, english, loaded);
  locale.language = language;
}

/** Adds English texts, for languages that lack them. */
export function addEnglish(texts: Partial<Strings>): void {
  Object.assign(english, texts);
  Object.assign(strings, { ...texts, ...strings });
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
