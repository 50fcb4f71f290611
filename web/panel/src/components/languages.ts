/** The languages that an operator can choose. */

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });

export const LANGUAGES: string[] =
  "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt pt-BR ro ru sk sl sr sv sw th tr uk ur vi zh zh-TW".split(
    " ",
  );

/** "German" for "de"; the tag itself when it is not known. */
export function languageName(tag: string): string {
  try {
    return names.of(tag) ?? tag;
  } catch {
    return tag;
  }
}
