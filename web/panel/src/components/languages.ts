/** The languages that an operator can choose. */
import { computed } from "@preact/signals";
import { locale } from "../i18n/i18n";

const names = computed(() => new Intl.DisplayNames([locale.value], { type: "language", fallback: "code" }));

export const LANGUAGES: string[] =
  "ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt pt-BR ro ru sk sl sr sv sw th tr uk ur vi zh zh-TW".split(
    " ",
  );

/** "German" for "de", in the panel's language; the tag itself when it is not known. */
export function languageName(tag: string): string {
  try {
    return names.value.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** "Deutsch" for "de". */
export const ownLanguageName = (tag: string): string =>
  new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
