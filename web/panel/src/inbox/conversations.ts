/** The inbox: every open conversation of the operator's sites, each in the newest version known. */

import { computed, signal } from "@preact/signals";
import type { Conversation, Role } from "../../../shared/apiTypes";
import { markdownToText } from "../../../shared/markdown";
import { api } from "../api/client";
import { now } from "../components/clock";
import { t } from "../i18n/i18n";
import { me } from "../session/session";
import { persistedSignal } from "../settings/preferences";

const MAX_CONVERSATIONS = 2000;

export const conversations = signal<ReadonlyMap<number, Conversation>>(new Map());
export const conversationsLoaded = signal(false);

export type InboxTab = "waiting" | "mine" | "all" | "snoozed";
export const activeTab = persistedSignal<InboxTab>("tab", "waiting");
export const siteFilter = signal<number | undefined>(undefined);
export const searchText = signal("");

/** By what the lists are filtered besides the site and the search text; null: not by this. */
export interface InboxFilter {
  /** Modes, as in the lists' `status`. */
  modes: Conversation["mode"][] | null;
  label_id: number | null;
  team_id: number | null;
  operator_id: number | null;
  language: string | null;
  rating: number | null;
  /** Seconds that the visitor has waited at least. */
  waiting: number | null;
}

export const NO_FILTER: InboxFilter = {
  modes: null,
  label_id: null,
  team_id: null,
  operator_id: null,
  language: null,
  rating: null,
  waiting: null,
};

export const inboxFilter = signal<InboxFilter>(NO_FILTER);
export const isFiltered = computed(() => Object.values(inboxFilter.value).some((value) => value !== null));

/** Removes the conversations of the operator who logs out. */
export function clearConversations(): void {
  conversations.value = new Map();
  conversationsLoaded.value = false;
}

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
  for (const status of ["pending,active,ai", "snoozed"]) {
    do {
      const query = { status, limit: 100, cursor };
      const page: Awaited<ReturnType<typeof fetchPage>> = await fetchPage(query);
      fetched.push(...page.chats);
      mergeConversations(page.chats);
      conversationsLoaded.value = true;
      cursor = page.next_cursor;
    } while (cursor && fetched.length < MAX_CONVERSATIONS);
    cursor = null;
  }
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

const allOpen = computed(() =>
  [...conversations.value.values()].filter((conversation) => conversation.mode !== "closed"),
);
const openConversations = computed(() => allOpen.value.filter((conversation) => !conversation.snoozed_until));

/** The conversations of each tab, filtered by site and search text. */
export const inboxLists = computed<Record<InboxTab, Conversation[]>>(() => {
  const text = searchText.value.trim().toLocaleLowerCase();
  const filter = isFiltered.value ? inboxFilter.value : null;
  const isShown = (conversation: Conversation): boolean =>
    (siteFilter.value === undefined || conversation.site_id === siteFilter.value) &&
    (!text || matches(conversation, text)) &&
    (!filter || passes(conversation, filter));
  const sorted = sortConversations(openConversations.value.filter(isShown));
  const snoozed = allOpen.value.filter((conversation) => conversation.snoozed_until && isShown(conversation));
  return {
    waiting: sorted.filter((conversation) => conversation.mode === "pending"),
    mine: sorted.filter(isMine),
    all: sorted,
    snoozed: snoozed.sort((a, b) => (a.snoozed_until ?? "").localeCompare(b.snoozed_until ?? "")),
  };
});

const primaryLanguage = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";

/** Whether a conversation passes a filter, as the server applies it. */
export function passes(conversation: Conversation, filter: InboxFilter): boolean {
  const { modes, label_id: label, team_id: team, operator_id: operator, language, rating, waiting } = filter;
  const since = conversation.waiting_since;
  return (
    (modes === null || modes.includes(conversation.mode)) &&
    (label === null || conversation.labels.includes(label)) &&
    (team === null || conversation.team_id === team) &&
    (operator === null || conversation.operator?.id === operator) &&
    (language === null ||
      primaryLanguage(conversation.visitor.language ?? "") === primaryLanguage(language)) &&
    (rating === null || conversation.rating === rating) &&
    (waiting === null || (!!since && now.value - Date.parse(since) >= waiting * 1000))
  );
}

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
