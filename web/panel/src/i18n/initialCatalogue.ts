/** The texts before a language is loaded: none. The unit tests begin with English. */
import type { Catalogue } from "./catalogues";

export const initialCatalogue: Catalogue = new Map();
