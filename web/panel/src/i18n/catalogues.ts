/** The texts by language. English is part of the panel; each other language is one file that is loaded when it is used. */
import { english } from "./english";
import type { PanelLanguage } from "./languages";

type Features = typeof english;
type PluralCategory = "zero" | "one" | "two" | "few" | "many" | "other";
type WithoutPlural<Name> = Name extends `${infer Base}_${PluralCategory}` ? Base : Name;

/** "feature.name", without the plural category. */
export type TextKey = {
  [Feature in keyof Features]: `${Feature}.${WithoutPlural<keyof Features[Feature] & string>}`;
}[keyof Features];

/** Texts by "feature.name" or "feature.name_category". */
export type Catalogue = ReadonlyMap<string, string>;

export type CatalogueFiles = Record<string, Record<string, string>>;

const LOADERS: Record<Exclude<PanelLanguage, "en">, () => Promise<{ default: CatalogueFiles }>> = {
  ar: () => import("./ar/index"),
  de: () => import("./de/index"),
  es: () => import("./es/index"),
  fr: () => import("./fr/index"),
  ja: () => import("./ja/index"),
  pt: () => import("./pt/index"),
};

export const englishCatalogue = toCatalogue(english);

export async function loadCatalogue(language: PanelLanguage): Promise<Catalogue> {
  return language === "en" ? englishCatalogue : toCatalogue((await LOADERS[language]()).default);
}

/** `files` by feature, or by a path that ends with "feature.json". */
function toCatalogue(files: CatalogueFiles): Catalogue {
  const texts = new Map<string, string>();
  for (const [path, file] of Object.entries(files)) {
    const feature = path.slice(path.lastIndexOf("/") + 1).replace(".json", "");
    for (const [name, text] of Object.entries(file)) texts.set(`${feature}.${name}`, text);
  }
  return texts;
}
