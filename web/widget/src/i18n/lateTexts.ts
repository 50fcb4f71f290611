/** The texts, for the parts of the chat window that are loaded later: with those that only such parts display. */
import { addEnglish, strings as firstStrings, type Strings } from "./i18n";

/** The English texts of `LATE_KEYS`. The build sets them. */
declare const LATE_TEXTS: Partial<Strings>;

addEnglish(LATE_TEXTS);

export const strings = firstStrings as Strings;
