/** The inbox: every open conversation of the operator's sites, each in the newest version known. */

import { computed, signal } from "@preact/signals";
import type { Conversation, Role } from "../../../shared/apiTypes";
import { markdownToText } from "../../../shared/markdown";
import { api } from "../api/client";
import { t } from "../i18n/i18n";
import { me } from "../session/session";
import { persistedSignal } from "../settings/preferences";

const MAX_CONVERSATIONS = 2000;

export const conversations = signal<ReadonlyMap<number, Conversation>>(new Map());
export const conversationsLoaded = signal(false);

export type InboxTab = "waiting" | "mine" | "all";
export const activeTab = persistedSignal<InboxTab>("tab", "waiting");
export const siteFilter = signal<number | undefined>(undefined);
export const searchText = signal("");

/** Adds or replaces conversations. One that is older than the version known changes nothing. */
export function mergeConversations(changed: readonly Conversation[]): void {
  const merged = new Map(conversations.value);
  let hasChanged = false;
  for (const conversation of changed) {
    const known = merged.get(conversation.id);
    if (known && known.version > conversation.version) continue;
    merged.set(conversation.id, conversation);
    hasChanged = true;
  }
  if (hasChanged) conversations.value = merged;
}

/**
 * Fetches all open conversations, and shows each page as it arrives. One that is known here and missing there has been
 * closed in the meantime.
 */
export async function loadConversations(): Promise<void> {
  const fetched: Conversation[] = [];
  let cursor: string | null = null;
  const before = conversations.value;
  do {
    const query = { status: "pending,active,ai", limit: 100, cursor };
    const page: Awaited<ReturnType<typeof fetchPage>> = await fetchPage(query);
    fetched.push(...page.chats);
    mergeConversations(page.chats);
    conversationsLoaded.value = true;
    cursor = page.next_cursor;
  } while (cursor && fetched.length < MAX_CONVERSATIONS);
  const open = new Set(fetched.map((conversation) => conversation.id));
  // A conversation that an event changed during the fetch stays: the fetched pages may be older.
  const kept = [...conversations.value.values()].filter(
    (conversation) => open.has(conversation.id) || before.get(conversation.id) !== conversation,
  );
  conversations.value = new Map(kept.map((conversation) => [conversation.id, conversation]));
}

const fetchPage = (query: { status: string; limit: number; cursor: string | null }) =>
  api.get("/operator/all-active-chats", { query });

/** Whether a conversation is assigned to the operator. */
export const isMine = (conversation: Conversation): boolean =>
  conversation.mode === "operator" && conversation.operator?.id === me.value?.id;

/** First the queue, then visitors who wait for a reply (both longest first), then the rest, newest first. */
function sortConversations(list: readonly Conversation[]): Conversation[] {
  const keyed = list.map((conversation) => {
    const { mode, waiting_since: since, updated_at: updated } = conversation;
    const rank = mode === "pending" ? 0 : since ? 1 : 2;
    return { conversation, rank, order: rank < 2 ? Date.parse(since ?? updated) : -Date.parse(updated) };
  });
  keyed.sort((a, b) => a.rank - b.rank || a.order - b.order);
  return keyed.map(({ conversation }) => conversation);
}

const openConversations = computed(() =>
  [...conversations.value.values()].filter((conversation) => conversation.mode !== "closed"),
);

/** The conversations of each tab, filtered by site and search text. */
export const inboxLists = computed<Record<InboxTab, Conversation[]>>(() => {
  const text = searchText.value.trim().toLocaleLowerCase();
  const matching = openConversations.value.filter(
    (conversation) =>
      (siteFilter.value === undefined || conversation.site_id === siteFilter.value) &&
      (!text || matches(conversation, text)),
  );
  const sorted = sortConversations(matching);
  return {
    waiting: sorted.filter((conversation) => conversation.mode === "pending"),
    mine: sorted.filter(isMine),
    all: sorted,
  };
});

function matches(conversation: Conversation, text: string): boolean {
  const { name, email, phone } = conversation.visitor;
  const { last_message: last, last_visitor_message: ofVisitor, operator, id } = conversation;
  const searched = [name, email, phone, last?.preview, ofVisitor?.preview, operator?.name, String(id)];
  return searched.some((value) => value?.toLocaleLowerCase().includes(text));
}

/** How many conversations need attention: those in the queue, and the operator's own with unread messages. */
export const attentionCounts = computed(() => ({
  waiting: openConversations.value.filter((conversation) => conversation.mode === "pending").length,
  mine: openConversations.value.filter((conversation) => isMine(conversation) && conversation.unread > 0)
    .length,
}));

/** The visitor's name, e-mail or, when neither is known, "Visitor ab12". */
export function visitorName(conversation: Conversation): string {
  const { name, email, session_id } = conversation.visitor;
  return name || email || anonymousName(session_id);
}

export function anonymousName(sessionId: string): string {
  return `${t("common.visitor")} ${sessionId.replace(/^sess_/, "").slice(0, 4)}`;
}

/**
 * The last message in one line, without the marks of the AI's Markdown; never what the system wrote. For a visitor who
 * waits it is their own last message. No role without one; an empty text when it is an image.
 */
export function messagePreview(conversation: Conversation): { role: Role | undefined; text: string } {
  const { mode, last_message: newest, last_visitor_message: ofVisitor } = conversation;
  const isFromSystem = newest?.role === "system";
  const last = ((mode === "pending" || isFromSystem) && ofVisitor) || (isFromSystem ? null : newest);
  if (!last) return { role: undefined, text: "" };
  return { role: last.role, text: last.role === "ai" ? markdownToText(last.preview) : last.preview };
}
