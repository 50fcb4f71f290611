/** The queue: every open conversation of the operator's sites, one row each, always the newest state known. */
import { computed, signal } from "@preact/signals";
import type { Conversation } from "../../../shared/views";
import { ask } from "../api/http";
import { me } from "../api/session";
import { kept } from "./prefs";

export const chats = signal<ReadonlyMap<number, Conversation>>(new Map());
export const loaded = signal(false);

export type Tab = "waiting" | "mine" | "all";
export const tab = kept<Tab>("tab", "waiting");
export const siteFilter = signal<number | undefined>(undefined);
export const search = signal("");

/** Puts rows in place of older ones. A row that is older than what is known changes nothing. */
export function place(rows: readonly Conversation[]): void {
  const after = new Map(chats.value);
  let changed = false;
  for (const row of rows) {
    const known = after.get(row.id);
    if (known && known.version > row.version) continue;
    after.set(row.id, row);
    changed = true;
  }
  if (changed) chats.value = after;
}

/** The queue as the backend has it now. Rows that are open here and not there any more were closed meanwhile. */
export async function loadChats(): Promise<void> {
  const found: Conversation[] = [];
  let cursor: string | null | undefined;
  const before = chats.value;
  do {
    const page = await ask<{ chats: Conversation[]; next_cursor?: string | null }>(
      "/operator/all-active-chats",
      {
        query: { status: "pending,active,ai", limit: 100, cursor },
      },
    );
    found.push(...page.chats);
    cursor = page.next_cursor;
  } while (cursor && found.length < 2000);
  const open = new Set(found.map((row) => row.id));
  const kept = [...chats.value.values()].filter((row) => open.has(row.id) || before.get(row.id) !== row);
  chats.value = new Map(kept.map((row) => [row.id, row]));
  place(found);
  loaded.value = true;
}

export const isMine = (row: Conversation): boolean =>
  row.mode === "operator" && row.operator?.id === me.value?.id;

/** Whether a person is owed a word by this operator. */
export const needsMe = (row: Conversation): boolean => isMine(row) && row.unread > 0;

const since = (row: Conversation): number => Date.parse(row.waiting_since ?? row.updated_at);

function order(a: Conversation, b: Conversation): number {
  const rank = (row: Conversation) => (row.mode === "pending" ? 0 : row.waiting_since ? 1 : 2);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return rank(a) < 2 ? since(a) - since(b) : Date.parse(b.updated_at) - Date.parse(a.updated_at);
}

const open = computed(() => [...chats.value.values()].filter((row) => row.mode !== "closed"));

export const lists = computed<Record<Tab, Conversation[]>>(() => {
  const words = search.value.trim().toLocaleLowerCase();
  const rows = open.value.filter(
    (row) =>
      (siteFilter.value === undefined || row.site_id === siteFilter.value) && (!words || matches(row, words)),
  );
  return {
    waiting: rows.filter((row) => row.mode === "pending").sort(order),
    mine: rows.filter(isMine).sort(order),
    all: rows.sort(order),
  };
});

function matches(row: Conversation, words: string): boolean {
  const { name, email, phone } = row.visitor;
  const texts = [name, email, phone, row.last_message?.preview, row.operator?.name, String(row.id)];
  return texts.some((text) => text?.toLocaleLowerCase().includes(words));
}

/** How much calls for attention: the queue, and answers owed by me. */
export const attention = computed(() => ({
  waiting: open.value.filter((row) => row.mode === "pending").length,
  mine: open.value.filter(needsMe).length,
}));

/** A name for somebody who may not have given one. */
export function visitorName(row: Conversation): string {
  return row.visitor.name || row.visitor.email || nameless(row.visitor.session_id);
}

export function nameless(handle: string): string {
  return `Visitor ${handle.replace(/^sess_/, "").slice(0, 4)}`;
}
