/** The languages that the panel speaks, and which of them applies. */

export const PANEL_LANGUAGES = ["en", "de", "es", "fr", "pt", "ar", "ja"] as const;

export type PanelLanguage = (typeof PANEL_LANGUAGES)[number];

const RIGHT_TO_LEFT: readonly PanelLanguage[] = ["ar"];

/** The value of the `dir` attribute. */
export const directionOf = (language: PanelLanguage): "ltr" | "rtl" =>
  RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";

const primaryOf = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";

/** The first of the tags (such as "pt-BR") that the panel speaks; English when it speaks none. */
export function findPanelLanguage(tags: readonly string[]): PanelLanguage {
  for (const tag of tags) {
    const language = PANEL_LANGUAGES.find((one) => one === primaryOf(tag));
    if (language) return language;
  }
  return "en";
}

/**
 * The locale of dates and numbers: the browser's own region where it has one for the language. Arabic is written with
 * the digits 0 to 9, because telephone numbers, identifiers and codes on the same page are.
 */
export function findLocale(language: PanelLanguage, tags: readonly string[]): string {
  if (language === "ar") return "ar-u-nu-latn";
  return tags.find((tag) => primaryOf(tag) === language) ?? language;
}
