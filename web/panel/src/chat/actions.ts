/** What an operator does with a conversation as a whole. */
import { signal } from "@preact/signals";
import type { BlockType, Conversation } from "../../../shared/views";
import { ask } from "../api/http";
import { tab, visitorName } from "../state/chats";
import { attempt, confirmed } from "../state/toasts";

/** The conversation whose transfer, or block, is being decided. */
export const transferring = signal<number | null>(null);
export const blocking = signal<number | null>(null);

/** Counts up when the reply is to be written now. */
export const focusReply = signal({ count: 0, note: false });

export function writeReply(note = false): void {
  focusReply.value = { count: focusReply.value.count + 1, note };
}

/** One at a time per conversation: a key held down is not a second wish. */
const busy = new Set<number>();

async function once(id: number, work: () => Promise<unknown>, done?: string): Promise<boolean> {
  if (busy.has(id)) return false;
  busy.add(id);
  try {
    return await attempt(work, done);
  } finally {
    busy.delete(id);
  }
}

export async function accept(row: Conversation): Promise<void> {
  if (!(await once(row.id, () => ask(`/operator/accept/${row.id}`, { method: "POST" })))) return;
  // It has left the queue; the list that it is in now is the one to look at.
  if (tab.value === "waiting") tab.value = "mine";
  writeReply();
}

export async function close(row: Conversation): Promise<void> {
  const yes = await confirmed({
    title: "Close this chat?",
    text: `If ${visitorName(row)} writes again, a new chat begins that remembers this one.`,
    yes: "Close chat",
  });
  if (yes) await once(row.id, () => ask(`/operator/close/${row.id}`, { method: "POST" }), "Chat closed.");
}

export async function release(row: Conversation): Promise<void> {
  await once(row.id, () => ask(`/operator/release/${row.id}`, { method: "POST" }), "Given back to the AI.");
}

export async function transfer(id: number, operator: { id: number; name: string }): Promise<boolean> {
  const body = { operator_id: operator.id };
  return once(id, () => ask(`/operator/transfer/${id}`, { body }), `Transferred to ${operator.name}.`);
}

export async function block(id: number, blocked: boolean, kind: BlockType): Promise<boolean> {
  const body = { blocked, block_type: kind };
  const done = blocked ? "Visitor blocked." : "Visitor unblocked.";
  return once(id, () => ask(`/operator/conversation/${id}/block`, { body }), done);
}

export async function markRead(row: Conversation, seq: number): Promise<void> {
  await ask(`/operator/conversation/${row.id}/read`, { body: { seq } }).catch(() => undefined);
}

let lastTyping = 0;

/** Tells the visitor that an answer is being written, every few seconds at most. */
export function tellTyping(id: number): void {
  if (Date.now() - lastTyping < 3000) return;
  lastTyping = Date.now();
  void ask("/operator/typing", { body: { conversation_id: id } }).catch(() => undefined);
}
