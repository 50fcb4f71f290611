/** Which language the widget speaks. */

const RIGHT_TO_LEFT = ["ar", "fa", "he"];

/** Tags, in lower case, of languages whose catalogue has another name. */
const ALIASES = new Map([
  ["no", "nb"],
  ["nn", "nb"],
  ["iw", "he"],
  ["in", "id"],
  ["zh", "zh-CN"],
  ["zh-hant", "zh-TW"],
  ["zh-hk", "zh-TW"],
  ["zh-mo", "zh-TW"],
]);

/** The browser's language tag, such as "pt-BR". */
export const browserLanguage: string = navigator.language || "en";

/** The best of the languages for a BCP 47 tag: the tag itself, or what remains of it without its last parts. */
export function findLanguage(tag: string, languages: readonly string[]): string {
  for (let range = tag.toLowerCase(); range; range = range.replace(/-?[^-]*$/, "")) {
    const name = (ALIASES.get(range) ?? range).toLowerCase();
    const found = languages.find((language) => language.toLowerCase() === name);
    if (found) return found;
  }
  return "en";
}

/** The value of the `dir` attribute, for the first part of a tag. */
export const direction = (language: string): "rtl" | "ltr" =>
  RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
