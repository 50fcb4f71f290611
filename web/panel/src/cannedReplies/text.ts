/** What is typed to find a canned reply, which ones match, and what their variables become. Pure functions. */
import type { CannedReply } from "../../../shared/apiTypes";
import { fold } from "../i18n/fold";

/** The slash and what follows it, in a text: from `start` to before `end`. */
export interface Trigger {
  start: number;
  end: number;
  query: string;
}

const TRIGGER = /(?:^|\s)\/([^\s/]{0,30})$/;

/** The shortcut that is being typed in front of the cursor; null if there is none. */
export function findTrigger(text: string, cursor: number): Trigger | null {
  const match = TRIGGER.exec(text.slice(Math.max(0, cursor - 40), cursor));
  if (!match) return null;
  const query = match[1] ?? "";
  return { start: cursor - query.length - 1, end: cursor, query };
}

/** The replies for a query: those whose shortcut starts with it, then those whose text contains it; most used first. */
export function matchReplies(replies: CannedReply[], query: string): CannedReply[] {
  const wanted = fold(query);
  const byUse = [...replies].sort(
    (a, b) => b.use_count - a.use_count || a.shortcut.localeCompare(b.shortcut),
  );
  const byShortcut = byUse.filter((reply) => fold(reply.shortcut).startsWith(wanted));
  const byText = byUse.filter((reply) => !byShortcut.includes(reply) && fold(reply.text).includes(wanted));
  return [...byShortcut, ...byText];
}

type VariableName = "visitor.name" | "visitor.email" | "operator.name" | "site.name";

/** The text with `{{variable}}` replaced by its value, or `{{variable|fallback}}` by the fallback without a value. */
export function fillVariables(text: string, values: Record<VariableName, string | null | undefined>): string {
  return (
    text
      .replace(/\{\{([^{}|]*)(?:\|([^{}|]*))?\}\}/g, (_, name: string, fallback = "") => {
        return values[name.trim() as VariableName] || fallback;
      })
      // A variable without a value leaves a space before the punctuation.
      .replace(/ +([,.!?])/g, "$1")
  );
}

/** A text of before canned replies were shared, with its variables as they are written now. */
export function convertOldText(text: string): string {
  return text.replaceAll("{name}", "{{visitor.name}}").replaceAll("{me}", "{{operator.name}}");
}
