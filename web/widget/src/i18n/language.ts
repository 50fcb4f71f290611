/** Which language the widget speaks. */

const RIGHT_TO_LEFT = ["ar", "fa", "he"];

const TAG = /^[a-z]{2,8}(-[a-z\d]{1,8}){0,4}$/i;

/** A language tag, or "en" instead of what is none: the server refuses messages that name it. */
export const toTag = (text: unknown): string => (TAG.test(String(text)) ? String(text) : "en");

/** The browser's language tag, such as "pt-BR". That of a system without a language is "c". */
export const browserLanguage: string = toTag(navigator.language);

/** The best of the languages for a BCP 47 tag: the tag itself, or what remains of it without its last parts. */
export function findLanguage(tag: string, languages: readonly string[]): string {
  for (let range = tag.toLowerCase(); range; range = range.replace(/-?[^-]*$/, "")) {
    const name = range
      .replace(/^n[no]$/, "nb")
      .replace(/^zh$/, "zh-cn")
      .replace(/^zh-(hant|hk|mo)$/, "zh-tw");
    const found = languages.find((language) => language.toLowerCase() === name);
    if (found) return found;
  }
  return "en";
}

/** The value of the `dir` attribute, for the first part of a tag. */
export const direction = (language: string): "rtl" | "ltr" =>
  RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
