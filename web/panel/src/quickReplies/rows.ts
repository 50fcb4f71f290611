/** Quick replies while an operator writes them: a label, and what the button sends or opens. */
import type { QuickReply } from "../../../shared/apiTypes";

export interface QuickReplyRow {
  label: string;
  /** A text to send, or an address to open; empty for the label. */
  effect: string;
}

export const MAX_QUICK_REPLIES = 10;

const ADDRESS = /^https?:\/\/\S/i;

/** What the API takes. Rows without a label are left out. */
export function toQuickReplies(rows: readonly QuickReplyRow[] = []): QuickReply[] {
  return rows
    .map(({ label, effect }) => ({ label: label.trim(), effect: effect.trim() }))
    .filter(({ label }) => label)
    .map(({ label, effect }) => {
      const isAddress = ADDRESS.test(effect);
      return { label, value: (!isAddress && effect) || null, url: isAddress ? effect : null };
    });
}

export const toRows = (replies: readonly QuickReply[] = []): QuickReplyRow[] =>
  replies.map(({ label, value, url }) => ({ label, effect: url ?? value ?? "" }));
