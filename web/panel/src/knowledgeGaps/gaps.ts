/** Gaps of a site's knowledge: their paths and types. */

import type { ResponseBody } from "../../../shared/apiTypes";

export const GAPS = "/sites/{site_id}/knowledge-gaps";
export const GAP = "/sites/{site_id}/knowledge-gaps/{gap_id}";

export type Gap = ResponseBody<"get", typeof GAPS>["gaps"][number];
export type GapDetails = ResponseBody<"get", typeof GAP>;

export const STATES = ["open", "answered", "dismissed"] as const;
export type GapState = (typeof STATES)[number];
