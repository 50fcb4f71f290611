/** The texts by language. Each language is one file, and only the one in use is loaded. */
import type { english } from "./english";
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

const LOADERS: Record<PanelLanguage, () => Promise<{ default: CatalogueFiles }>> = {
  en: () => import("./english").then((module) => ({ default: module.english })),
  ar: () => import("./ar/index"),
  de: () => import("./de/index"),
  es: () => import("./es/index"),
  fr: () => import("./fr/index"),
  ja: () => import("./ja/index"),
  pt: () => import("./pt/index"),
};

export async function loadCatalogue(language: PanelLanguage): Promise<Catalogue> {
  return toCatalogue((await LOADERS[language]()).default);
}

/** `files` by feature, or by a path that ends with "feature.json". */
export function toCatalogue(files: CatalogueFiles): Catalogue {
  const texts = new Map<string, string>();
  for (const [path, file] of Object.entries(files)) {
    const feature = path.slice(path.lastIndexOf("/") + 1).replace(".json", "");
    for (const [name, text] of Object.entries(file)) texts.set(`${feature}.${name}`, text);
  }
  return texts;
}
