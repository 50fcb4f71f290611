/** The chat window's texts in the visitor's language. English is part of the script; other languages are loaded. */
import { parseJson } from "../../../shared/storage";
import { en, type Strings } from "./en";
import { findLanguage } from "./language";
import { loadText } from "./loadText";

/** The texts, and the language that they are in. */
export const strings: Strings = { ...en };
export const locale = { language: "en" };

/** Loads the texts in the language of a tag, where there are any. Where they cannot be loaded, they stay as they are. */
export async function loadStrings(origin: string, tag: string): Promise<void> {
  const language = findLanguage(tag);
  if (language === locale.language) return;
  const text = language === "en" ? "" : await loadText(`${origin}/widget/${language}.json`);
  const loaded = language === "en" ? en : parseJson<Strings | null>(text || null, null);
  if (!loaded) return;
  Object.assign(strings, loaded);
  locale.language = language;
}

/** Replaces "{name}" in a text by the value of that name. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
