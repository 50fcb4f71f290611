/** The panel's texts in the operator's language: `t("feature.name", { values })`. */
import { computed, effect, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { isolate } from "../components/isolate";
import { panelLanguage } from "../settings/preferences";
import { type Catalogue, loadCatalogue, type TextKey } from "./catalogues";
import { initialCatalogue } from "./initialCatalogue";
import { directionOf, findLocale, findPanelLanguage, PANEL_LANGUAGES, type PanelLanguage } from "./languages";

export type { TextKey } from "./catalogues";

interface Active {
  language: PanelLanguage;
  catalogue: Catalogue;
}

const active = signal<Active>({ language: "en", catalogue: initialCatalogue });

/** The language that the panel shows. */
export const language = computed(() => active.value.language);
export const direction = computed(() => directionOf(language.value));
/** The locale for `Intl`. */
export const locale = computed(() => findLocale(language.value, navigator.languages));

const pluralRules = computed(() => new Intl.PluralRules(locale.value));
const numberFormat = computed(() => new Intl.NumberFormat(locale.value));

/** The operator's choice on this machine; without one, the browser's first language that the panel speaks. */
const preferred = computed(
  () => PANEL_LANGUAGES.find((one) => one === panelLanguage.value) ?? findPanelLanguage(navigator.languages),
);

/** Loads the preferred language, now and whenever the choice changes. Resolves when the first one is shown. */
export function startTranslation(): Promise<void> {
  return new Promise((resolve) => {
    effect(() => {
      void showLanguage(preferred.value)
        // Without its file, such as one of an earlier version, the panel speaks English.
        .then(() => (active.value.catalogue.size === 0 ? showLanguage("en") : undefined))
        .then(resolve);
    });
  });
}

let requested: PanelLanguage = "en";
/** Whether the texts of pages have been needed. */
let withPages = false;

/** Shows a language. One that cannot be loaded changes nothing. */
export async function showLanguage(language: PanelLanguage): Promise<void> {
  requested = language;
  const catalogue = await loadCatalogue(language, withPages).catch(() => undefined);
  // Another language may have been requested while this one was loading.
  if (catalogue && requested === language) active.value = { language, catalogue };
}

/** Loads the texts of what is not in the first load (`pages/`). Throws when that fails. */
export async function loadPageTexts(): Promise<void> {
  if (withPages) return;
  const { language } = active.value;
  const catalogue = await loadCatalogue(language, true);
  withPages = true;
  // The language may have been changed while they were loading.
  if (requested === language) active.value = { language, catalogue };
  else await showLanguage(requested);
}

effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dir = direction.value;
});

/** Whether there is a text of this key. */
export const hasText = (key: string): key is TextKey => active.value.catalogue.has(key);

type TextValues = Record<string, string | number>;

/**
 * The text of a key with its values filled in. `count` chooses between the plural forms. Numbers are formatted in the
 * operator's language; texts of people keep their direction to themselves.
 */
export function t(key: TextKey, values: TextValues = {}): string {
  const text = findText(key, values["count"]);
  return text.replace(PLACEHOLDER, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numberFormat.value.format(value) : isolateValue(value);
  });
}

/** Like `t`, for a text with elements inside, such as a key or a link. */
export function tx(key: TextKey, values: Record<string, ComponentChildren>): ComponentChildren[] {
  const text = findText(key, values["count"]);
  // Split by a pattern with a group: every second part is a placeholder's name.
  return text.split(PLACEHOLDER).map((part, index) => {
    if (index % 2 === 0) return part;
    const value = values[part];
    return typeof value === "number" ? numberFormat.value.format(value) : value;
  });
}

const PLACEHOLDER = /\{\{(\w+)\}\}/g;

function findText(key: TextKey, count: unknown): string {
  const { catalogue } = active.value;
  if (typeof count === "number") {
    const category = pluralRules.value.select(count);
    const plural = catalogue.get(`${key}_${category}`) ?? catalogue.get(`${key}_other`);
    if (plural !== undefined) return plural;
  }
  return catalogue.get(key) ?? key;
}

/** In a text from right to left every value is isolated: a name such as "Mia (2)" would be torn apart. */
const isolateValue = (value: string): string => isolate(value, direction.value === "rtl");
