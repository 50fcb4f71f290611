/** The conversations that were opened: their messages, notes, history and translation, kept whole by live events. */
import { signal } from "@preact/signals";
import type { Conversation, LiveEvent, Message, Note, Person, Translation } from "../../../shared/views";
import { ApiError, ask, sentence } from "../api/http";
import { chats, place } from "./chats";

const PAGE = 50;
const KEPT_THREADS = 30;

export interface HistoryEntry {
  at: string;
  action: string;
  by?: Person | null;
  to?: Person | null;
}

export interface TranslationSettings {
  enabled: boolean;
  lang: string | null;
  operator_lang: string | null;
  supported: boolean;
}

export interface Thread {
  row: Conversation;
  messages: Message[];
  notes: Note[];
  history: HistoryEntry[];
  previous: Conversation[];
  translation: TranslationSettings | null;
  /** Whether the first message is among those here. */
  whole: boolean;
}

export type Opening =
  | { state: "loading" }
  | { state: "failed"; why: string; gone: boolean }
  | { state: "open" };

const threads = signal<ReadonlyMap<number, Thread>>(new Map());
const openings = signal<ReadonlyMap<number, Opening>>(new Map());

interface ConversationAnswer {
  conversation: Conversation & {
    messages: Message[];
    notes?: Note[];
    history?: HistoryEntry[];
    previous?: Conversation[];
    translation?: TranslationSettings | null;
  };
}

export const threadOf = (id: number): Thread | undefined => threads.value.get(id);
export const openingOf = (id: number): Opening => openings.value.get(id) ?? { state: "loading" };

/** The newest state of a conversation's row, wherever it is known from. */
export function rowOf(id: number): Conversation | undefined {
  const listed = chats.value.get(id);
  const opened = threads.value.get(id)?.row;
  return listed && opened ? (listed.version >= opened.version ? listed : opened) : (listed ?? opened);
}

function put(id: number, thread: Thread): void {
  const after = new Map(threads.value);
  after.delete(id);
  after.set(id, thread);
  for (const oldest of after.keys()) {
    if (after.size <= KEPT_THREADS) break;
    after.delete(oldest);
  }
  threads.value = after;
}

function told(id: number, opening: Opening): void {
  openings.value = new Map(openings.value).set(id, opening);
}

/** Fetches a conversation, and keeps what is already here of it. */
export async function loadThread(id: number): Promise<void> {
  if (!threads.value.has(id)) told(id, { state: "loading" });
  try {
    const { conversation } = await ask<ConversationAnswer>(`/operator/conversation/${id}`, {
      query: { limit: PAGE },
    });
    const { messages, notes = [], history = [], previous = [], translation = null, ...row } = conversation;
    const known = threads.value.get(id);
    const first = messages[0]?.seq ?? 1;
    // Older pages stay, unless a hole would be left between them and this one.
    const joins = known?.messages.some((message) => message.seq >= first - 1) ?? false;
    put(id, {
      row: known && known.row.version > row.version ? known.row : row,
      messages: merge(joins && known ? known.messages : [], messages),
      notes,
      history,
      previous,
      translation,
      whole: (joins && known?.whole) || first <= 1,
    });
    if (row.mode !== "closed" || chats.value.has(id)) place([row]);
    told(id, { state: "open" });
  } catch (problem) {
    if (threads.value.has(id)) return;
    const gone = problem instanceof ApiError && (problem.status === 404 || problem.status === 403);
    told(id, { state: "failed", why: sentence(problem), gone });
  }
}

/** The page of messages before those that are here. */
export async function loadOlder(id: number): Promise<void> {
  const thread = threads.value.get(id);
  const first = thread?.messages[0]?.seq;
  if (!thread || thread.whole || first === undefined) return;
  const { conversation } = await ask<ConversationAnswer>(`/operator/conversation/${id}`, {
    query: { before_seq: first, limit: PAGE },
  });
  const now = threads.value.get(id);
  if (!now) return;
  const whole = conversation.messages.length === 0 || conversation.messages[0]?.seq === 1;
  put(id, { ...now, messages: merge(now.messages, conversation.messages), whole });
}

/** Everything opened here is fetched anew when it is next looked at; what is looked at now, at once. */
export function forgetThreads(shown: number | undefined): void {
  const visible = shown === undefined ? undefined : threads.value.get(shown);
  threads.value = new Map(visible && shown !== undefined ? [[shown, visible]] : []);
  if (shown !== undefined) void loadThread(shown);
}

function merge(known: readonly Message[], coming: readonly Message[]): Message[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of coming) {
    const before = bySeq.get(message.seq);
    // A translation that came by event may be ahead of the page it is merged with.
    const translation = message.translation ?? before?.translation ?? null;
    bySeq.set(message.seq, { ...message, translation });
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** Takes a message in: one that was sent from here, or that an event brought. */
export function addMessage(message: Message): void {
  const thread = threads.value.get(message.conversation_id);
  if (!thread) return;
  const last = thread.messages.at(-1)?.seq ?? 0;
  put(message.conversation_id, { ...thread, messages: merge(thread.messages, [message]) });
  if (last && message.seq > last + 1) void loadThread(message.conversation_id);
}

const ACTIONS: Record<string, string> = {
  "conversation.pending": "pending",
  "conversation.accepted": "accepted",
  "conversation.transferred": "transferred",
  "conversation.released": "released",
  "conversation.closed": "closed",
};

/** Lets an event change an opened conversation. */
export function apply(event: LiveEvent): void {
  const id = event.conversation_id;
  if (!id) return;
  const thread = threads.value.get(id);
  if (!thread) return;
  const data = event.data;
  const row = data["conversation"] as Conversation | undefined;
  const after: Thread = row && row.version >= thread.row.version ? { ...thread, row } : { ...thread };
  switch (event.type) {
    case "message.created": {
      put(id, after);
      addMessage(data as unknown as Message);
      return;
    }
    case "message.translated":
      after.messages = after.messages.map((message) =>
        message.seq === data["seq"]
          ? { ...message, translation: data["translation"] as Translation }
          : message,
      );
      break;
    case "note.created": {
      const note = data["note"] as Note;
      if (!after.notes.some((known) => known.id === note.id)) after.notes = [...after.notes, note];
      break;
    }
    case "translation.updated":
      after.translation = data as unknown as TranslationSettings;
      break;
    default: {
      const action = ACTIONS[event.type];
      if (action) after.history = remember(after.history, entry(action, event));
    }
  }
  put(id, after);
}

function entry(action: string, event: LiveEvent): HistoryEntry {
  const by = (event.data["by"] as Person | null) ?? null;
  const to = action === "transferred" ? ((event.data["operator"] as Person | null) ?? null) : null;
  const timedOut = event.data["reason"] === "operator_timeout";
  return { at: event.at, action: timedOut ? "timed_out" : action, by, to };
}

function remember(history: readonly HistoryEntry[], added: HistoryEntry): HistoryEntry[] {
  const known = history.some((one) => one.action === added.action && one.at === added.at);
  return known ? [...history] : [...history, added];
}
