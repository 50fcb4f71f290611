/** Which language the widget speaks. */

export const LANGUAGES: readonly string[] = ["en", "de", "fr", "es", "pt", "ar"];
const RIGHT_TO_LEFT = ["ar"];

/** The browser's language tag, such as "pt-BR". */
export const browserLanguage: string = navigator.language || "en";

export function findLanguage(tag: string): string {
  const primary = tag.split("-")[0]?.toLowerCase() ?? "";
  return LANGUAGES.includes(primary) ? primary : "en";
}

/** The value of the `dir` attribute. */
export const direction = (language: string): "rtl" | "ltr" =>
  RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
