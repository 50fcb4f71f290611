/** Replaces `panel/src/i18n/initialCatalogue.ts`: the unit tests begin with English, without loading it. */
import { toCatalogue } from "../panel/src/i18n/catalogues";
import { english } from "../panel/src/i18n/english";
import { englishPages } from "../panel/src/i18n/englishPages";

export const initialCatalogue = toCatalogue({ ...english, ...englishPages });
