/** The conversations that have been opened: messages, notes, history and translation, kept current by live events. */
import { signal } from "@preact/signals";
import type {
  Conversation,
  ConversationDetail,
  LiveEvent,
  Message,
  MessageTranslation,
  Note,
  OperatorRef,
} from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { api, errorMessage } from "../api/client";
import { conversations, mergeConversations } from "../inbox/conversations";
import { getTeamName } from "../teams/teams";

const PAGE_SIZE = 50;
const MAX_THREADS = 30;

type StoredEntry = ConversationDetail["history"][number];
type OptionalField = "reason" | "team" | "candidates";
/** An event of a conversation, as the server stores it or as a live event tells it. */
export type HistoryEntry = Omit<StoredEntry, "action" | OptionalField> &
  Partial<Pick<StoredEntry, OptionalField>> & { action: string };
type ConversationTranslation = ConversationDetail["translation"];

export interface Thread {
  conversation: Conversation;
  messages: Message[];
  notes: Note[];
  history: HistoryEntry[];
  previous: Conversation[];
  translation: ConversationTranslation | null;
  /** What the AI was used for; null for those who may not see reports. */
  usage: ConversationDetail["ai_usage"];
  /** Whether the first message is among `messages`; otherwise older ones can be fetched. */
  complete: boolean;
}

interface LoadFailure {
  error: string;
  notFound: boolean;
}

const threads = signal<ReadonlyMap<number, Thread>>(new Map());
const loadFailures = signal<ReadonlyMap<number, LoadFailure>>(new Map());

export const getThread = (id: number): Thread | undefined => threads.value.get(id);
/** Why a conversation could not be fetched; undefined while it is being fetched. */
export const getLoadFailure = (id: number): LoadFailure | undefined => loadFailures.value.get(id);

/** The newest version of a conversation, from the inbox or from its thread. */
export function getConversation(id: number): Conversation | undefined {
  const listed = conversations.value.get(id);
  const opened = threads.value.get(id)?.conversation;
  return listed && opened ? (listed.version >= opened.version ? listed : opened) : (listed ?? opened);
}

/** Stores a thread as the most recent one; the oldest are removed above MAX_THREADS. */
function storeThread(id: number, thread: Thread): void {
  const changed = new Map(threads.value);
  changed.delete(id);
  changed.set(id, thread);
  for (const oldest of changed.keys()) {
    if (changed.size <= MAX_THREADS) break;
    changed.delete(oldest);
  }
  threads.value = changed;
}

function clearLoadFailure(id: number): void {
  if (!loadFailures.value.has(id)) return;
  const changed = new Map(loadFailures.value);
  changed.delete(id);
  loadFailures.value = changed;
}

/** Fetches a conversation and merges it with what is already known of it. */
export async function loadThread(id: number): Promise<void> {
  clearLoadFailure(id);
  try {
    const detail = await api.get("/operator/conversation/{id}", {
      path: { id },
      query: { limit: PAGE_SIZE },
    });
    const {
      messages,
      notes,
      history,
      previous,
      translation,
      reads: _,
      ai_usage: usage = null,
      ...conversation
    } = detail.conversation;
    const known = threads.value.get(id);
    const first = messages[0]?.seq ?? 1;
    // Older pages are kept unless that would leave a gap between them and this one.
    const isAdjacent = known?.messages.some((message) => message.seq >= first - 1) ?? false;
    storeThread(id, {
      conversation:
        known && known.conversation.version > conversation.version ? known.conversation : conversation,
      messages: mergeMessages(isAdjacent && known ? known.messages : [], messages),
      notes,
      history,
      previous,
      translation,
      usage,
      complete: (isAdjacent && known?.complete) || first <= 1,
    });
    if (conversation.mode !== "closed" || conversations.value.has(id)) mergeConversations([conversation]);
  } catch (error) {
    if (threads.value.has(id)) return;
    const notFound = error instanceof ApiError && (error.status === 404 || error.status === 403);
    loadFailures.value = new Map(loadFailures.value).set(id, { error: errorMessage(error), notFound });
  }
}

/** Fetches the page of messages before the oldest one known. */
export async function loadOlderMessages(id: number): Promise<void> {
  const thread = threads.value.get(id);
  const first = thread?.messages[0]?.seq;
  if (!thread || thread.complete || first === undefined) return;
  const query = { before_seq: first, limit: PAGE_SIZE };
  const detail = await api.get("/operator/conversation/{id}", { path: { id }, query });
  const current = threads.value.get(id);
  if (!current) return;
  const { messages } = detail.conversation;
  const complete = messages.length === 0 || messages[0]?.seq === 1;
  storeThread(id, { ...current, messages: mergeMessages(current.messages, messages), complete });
}

/** Fetches pages of older messages until a seq, or a time, is among them. */
export async function loadMessagesUntil(
  id: number,
  { seq, at }: { seq?: number; at?: string },
): Promise<void> {
  for (;;) {
    const thread = threads.value.get(id);
    const first = thread?.messages[0];
    if (!thread || thread.complete || !first) return;
    if (seq !== undefined ? first.seq <= seq : at === undefined || first.created_at <= at) return;
    await loadOlderMessages(id);
  }
}

/** Removes every thread; the one on the screen is fetched again immediately, the others when they are next opened. */
export function invalidateThreads(openId: number | undefined): void {
  const open = openId === undefined ? undefined : threads.value.get(openId);
  threads.value = new Map(open && openId !== undefined ? [[openId, open]] : []);
  loadFailures.value = new Map();
  if (openId !== undefined) void loadThread(openId);
}

function mergeMessages(known: readonly Message[], added: readonly Message[]): Message[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of added) {
    // A translation that came as an event may be newer than the fetched page.
    const translation = message.translation ?? bySeq.get(message.seq)?.translation ?? null;
    bySeq.set(message.seq, { ...message, translation });
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** Adds a message that was sent from here or came as an event. A gap before it is fetched. */
export function addMessage(message: Message): void {
  const thread = threads.value.get(message.conversation_id);
  if (!thread) return;
  const last = thread.messages.at(-1)?.seq ?? 0;
  storeThread(message.conversation_id, { ...thread, messages: mergeMessages(thread.messages, [message]) });
  if (last && message.seq > last + 1) void loadThread(message.conversation_id);
}

export function addNote(conversationId: number, note: Note): void {
  const thread = threads.value.get(conversationId);
  if (!thread || thread.notes.some((known) => known.id === note.id)) return;
  storeThread(conversationId, { ...thread, notes: [...thread.notes, note] });
}

const ACTIONS: Record<string, string> = {
  "conversation.pending": "pending",
  "conversation.accepted": "accepted",
  "conversation.transferred": "transferred",
  "conversation.released": "released",
  "conversation.closed": "closed",
  "conversation.reopened": "reopened",
  "conversation.joined": "joined",
};

/** Reasons of updates that the history shows. */
const UPDATES: Record<string, string> = { labels: "labeled", snoozed: "snoozed", woken: "woken" };

/** Applies an event to the thread of its conversation, if that has been opened. */
export function applyThreadEvent(event: LiveEvent): void {
  const id = event.conversation_id;
  const thread = id ? threads.value.get(id) : undefined;
  if (!id || !thread) return;
  const { type, data } = event;
  const conversation = data["conversation"] as Conversation | undefined;
  const isNewer = conversation && conversation.version >= thread.conversation.version;
  const changed: Thread = isNewer ? { ...thread, conversation } : { ...thread };
  storeThread(id, changed);
  if (type === "message.created") {
    addMessage(data as unknown as Message);
  } else if (type === "note.created") {
    addNote(id, data["note"] as Note);
  } else if (type === "message.translated") {
    const translation = data["translation"] as MessageTranslation;
    const messages = changed.messages.map((message) =>
      message.seq === data["seq"] ? { ...message, translation } : message,
    );
    storeThread(id, { ...changed, messages });
  } else if (type === "translation.updated") {
    storeThread(id, { ...changed, translation: data as unknown as ConversationTranslation });
  } else {
    const updated = data["history_action"] ?? UPDATES[String(data["reason"])];
    const action = (type === "conversation.updated" ? updated : ACTIONS[type]) as string | undefined;
    if (!action) return;
    const history = addHistory(changed.history, toHistoryEntry(action, event));
    storeThread(id, { ...changed, history });
  }
}

/** Reasons of events that the history shows as actions of their own. */
const REASONS: Record<string, string> = {
  operator_timeout: "timed_out",
  operator_removed: "operator_removed",
  operator_suspended: "operator_suspended",
  operator_lost_access: "operator_lost_access",
  transferred: "transferred_to_team",
  round_robin: "assigned",
  least_busy: "assigned",
  silence: "closed_for_silence",
  undone: "restored",
};

function toHistoryEntry(action: string, event: LiveEvent): HistoryEntry {
  const by = (event.data["by"] as OperatorRef | null) ?? null;
  const reason = String(event.data["reason"] ?? "");
  const shown = REASONS[reason] ?? action;
  const operator = (event.data["operator"] as OperatorRef | null) ?? null;
  const to = shown === "transferred" || shown === "assigned" ? operator : null;
  const entry: HistoryEntry = { at: event.at, action: shown, by, to };
  if (shown === "assigned" || shown === "pending") return { ...entry, reason };
  const teamId = (event.data["conversation"] as Conversation | undefined)?.team_id;
  if (shown !== "transferred_to_team" || !teamId) return entry;
  return { ...entry, team: { id: teamId, name: getTeamName(teamId) ?? "" } };
}

function addHistory(history: readonly HistoryEntry[], added: HistoryEntry): HistoryEntry[] {
  const isKnown = history.some((entry) => entry.action === added.action && entry.at === added.at);
  return isKnown ? [...history] : [...history, added];
}
