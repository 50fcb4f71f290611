/** The trigger that the visitor was shown: the triggers' part stores it, and the chat window begins with it. */
import type { QuickReply } from "../../../shared/apiTypes";
import { readJson, writeJson, writeText } from "../../../shared/storage";
import { storageKey } from "../embedConfig";

/** The chat opens in this time, or the visitor has gone on to something else. */
const CHOICE_LIFETIME_MS = 60_000;
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
  /** The text of the quick reply that the visitor has chosen next to the button, which opens the chat. */
  chosen?: { text: string; at: number };
}

const triggerKey = (siteKey: string): string => storageKey(siteKey, "trigger");

export function readTrigger(siteKey: string): ShownTrigger | null {
  const shown = readJson<ShownTrigger | null>(triggerKey(siteKey), null);
  return shown && Date.now() - shown.at < LIFETIME_MS ? shown : null;
}

export function writeTrigger(siteKey: string, shown: ShownTrigger | null): void {
  if (shown) writeJson(triggerKey(siteKey), shown);
  else writeText(triggerKey(siteKey), null);
}

/** Returns the text of the quick reply that was chosen just now, once; empty without one. */
export function takeChoice(siteKey: string): string {
  const shown = readTrigger(siteKey);
  if (!shown?.chosen) return "";
  const { chosen, ...rest } = shown;
  writeTrigger(siteKey, rest);
  return Date.now() - chosen.at < CHOICE_LIFETIME_MS ? chosen.text : "";
}
