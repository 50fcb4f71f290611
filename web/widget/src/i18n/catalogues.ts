/** The widget's texts in all languages. A new language is one file here, one entry here and one in `LANGUAGES`. */
import { ar } from "./ar";
import { de } from "./de";
import { en, type Strings } from "./en";
import { es } from "./es";
import { fr } from "./fr";
import { pt } from "./pt";

export const CATALOGUES: Record<string, Strings> = { en, de, fr, es, pt, ar };
