/** The trigger that the visitor was shown: the triggers' part stores it, and the chat window begins with it. */
import type { QuickReply } from "../../../shared/apiTypes";
import { readJson, writeJson, writeText } from "../../../shared/storage";
import { storageKey } from "../embedConfig";

/** As long as the server knows what an answer is about. */
const LIFETIME_MS = 24 * 3_600_000;

export interface ShownTrigger {
  /** Of a preview: null, which counts nothing. */
  id: number | null;
  message: string;
  /** Earlier versions stored none. */
  quick_replies?: readonly QuickReply[];
  /** Milliseconds since 1970. */
  at: number;
  /** Whether the visitor has opened the chat since. */
  opened?: boolean;
}

export const triggerKey = (siteKey: string): string => storageKey(siteKey, "trigger");

export function readTrigger(siteKey: string): ShownTrigger | null {
  const shown = readJson<ShownTrigger | null>(triggerKey(siteKey), null);
  return shown && Date.now() - shown.at < LIFETIME_MS ? shown : null;
}

export function writeTrigger(siteKey: string, shown: ShownTrigger | null): void {
  if (shown) writeJson(triggerKey(siteKey), shown);
  else writeText(triggerKey(siteKey), null);
}
