/** Corrections of the assistant's answers: their paths and types. */

import type { ResponseBody } from "../../../shared/apiTypes";

export const PASSAGES = "/sites/{site_id}/cited-passages";
export const CORRECTIONS = "/sites/{site_id}/corrections";
export const APPLY = "/sites/{site_id}/corrections/{correction_id}/apply";
export const AFFECTED = "/sites/{site_id}/corrections/{correction_id}/conversations";

export type Correction = ResponseBody<"get", typeof CORRECTIONS>["corrections"][number];
export type CitedPassage = ResponseBody<"get", typeof PASSAGES>["passages"][number];
