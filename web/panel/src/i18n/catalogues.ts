/**
 * The texts by language. Each language is two files, and only those of the one in use are loaded: the texts of the first
 * load, and those of what is loaded later (`pages/`).
 */
import type { english } from "./english";
import type { englishPages } from "./englishPages";
import type { PanelLanguage } from "./languages";

type Features = typeof english & typeof englishPages;
type PluralCategory = "zero" | "one" | "two" | "few" | "many" | "other";
type WithoutPlural<Name> = Name extends `${infer Base}_${PluralCategory}` ? Base : Name;

/** "feature.name", without the plural category. */
export type TextKey = {
  [Feature in keyof Features]: `${Feature}.${WithoutPlural<keyof Features[Feature] & string>}`;
}[keyof Features];

/** Texts by "feature.name" or "feature.name_category". */
export type Catalogue = ReadonlyMap<string, string>;

export type CatalogueFiles = Record<string, Record<string, string>>;

type Loader = () => Promise<{ default: CatalogueFiles }>;

const LOADERS: Record<PanelLanguage, Loader> = {
  en: () => import("./english").then((module) => ({ default: module.english })),
  ar: () => import("./ar/index"),
  de: () => import("./de/index"),
  es: () => import("./es/index"),
  fr: () => import("./fr/index"),
  ja: () => import("./ja/index"),
  pt: () => import("./pt/index"),
};

const PAGE_LOADERS: Record<PanelLanguage, Loader> = {
  en: () => import("./englishPages").then((module) => ({ default: module.englishPages })),
  ar: () => import("./ar/pages"),
  de: () => import("./de/pages"),
  es: () => import("./es/pages"),
  fr: () => import("./fr/pages"),
  ja: () => import("./ja/pages"),
  pt: () => import("./pt/pages"),
};

export async function loadCatalogue(language: PanelLanguage, withPages: boolean): Promise<Catalogue> {
  const loaders = withPages ? [LOADERS, PAGE_LOADERS] : [LOADERS];
  const parts = await Promise.all(loaders.map((loader) => loader[language]()));
  return toCatalogue(Object.assign({}, ...parts.map((part) => part.default)));
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
