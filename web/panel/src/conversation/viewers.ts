/** Which other operators look at a conversation or write in it, and this operator's own reports of it. */
import { signal } from "@preact/signals";
import type { LiveEvent, OperatorRef } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { me } from "../session/session";

const REPORT_INTERVAL_MS = 10_000;
/** For this long after a key was pressed an operator is writing. */
const WRITING_MS = 8_000;

export interface Viewer {
  operator: OperatorRef;
  isWriting: boolean;
  /** Epoch milliseconds. */
  until: number;
}

const viewers = signal<ReadonlyMap<number, readonly Viewer[]>>(new Map());

/** Whether this operator is writing, in the conversation that is open. */
const isWriting = signal(false);

export const getViewers = (conversation: number): readonly Viewer[] => viewers.value.get(conversation) ?? [];

/** The names of others who write in a conversation while this operator does. */
export const otherWriters = (conversation: number): Viewer[] =>
  isWriting.value ? getViewers(conversation).filter((viewer) => viewer.isWriting) : [];

let report: (() => void) | undefined;
let openConversation: number | undefined;
let stopWriting: ReturnType<typeof setTimeout> | undefined;

function setViewers(conversation: number, changed: readonly Viewer[]): void {
  const all = new Map(viewers.value);
  if (changed.length) all.set(conversation, changed);
  else all.delete(conversation);
  viewers.value = all;
}

export function applyViewersEvent(event: LiveEvent): void {
  if (event.type !== "conversation.viewers" || !event.conversation_id) return;
  const { operator, state, expires_in } = event.data as {
    operator: OperatorRef;
    state: "viewing" | "writing" | "left";
    expires_in: number;
  };
  if (operator.id === me.value?.id) return;
  const conversation = event.conversation_id;
  const known = getViewers(conversation);
  const others = known.filter((viewer) => viewer.operator.id !== operator.id);
  if (state === "left") {
    setViewers(conversation, others);
    return;
  }
  const lifetime = expires_in * 1000;
  const viewer = { operator, isWriting: state === "writing", until: Date.now() + lifetime };
  setViewers(
    conversation,
    [...others, viewer].sort((a, b) => a.operator.id - b.operator.id),
  );
  setTimeout(() => removeExpired(conversation), lifetime + 50);
  // Who has just come does not know yet who is there.
  if (others.length === known.length && conversation === openConversation) report?.();
}

function removeExpired(conversation: number): void {
  const known = getViewers(conversation);
  const left = known.filter((viewer) => viewer.until > Date.now());
  if (left.length < known.length) setViewers(conversation, left);
}

export function clearViewers(): void {
  viewers.value = new Map();
}

/** Reports this operator as a viewer of a conversation for as long as the page is visible. Returns how to stop. */
export function startViewing(conversation: number): () => void {
  const send = (state: "viewing" | "writing" | "left") =>
    void api
      .post("/operator/conversation/{id}/viewing", { path: { id: conversation }, body: { state } })
      .catch(() => undefined);
  const sendCurrent = () => {
    if (document.visibilityState === "visible") send(isWriting.value ? "writing" : "viewing");
  };
  const onVisibility = () => (document.visibilityState === "visible" ? sendCurrent() : send("left"));
  openConversation = conversation;
  report = sendCurrent;
  sendCurrent();
  const timer = setInterval(sendCurrent, REPORT_INTERVAL_MS);
  document.addEventListener("visibilitychange", onVisibility);
  return () => {
    clearInterval(timer);
    clearTimeout(stopWriting);
    document.removeEventListener("visibilitychange", onVisibility);
    openConversation = undefined;
    report = undefined;
    isWriting.value = false;
    if (me.value) send("left");
  };
}

/** A key was pressed in the composer. */
export function reportWriting(): void {
  clearTimeout(stopWriting);
  stopWriting = setTimeout(() => setWriting(false), WRITING_MS);
  setWriting(true);
}

/** What was written is sent or gone. */
export function endWriting(): void {
  clearTimeout(stopWriting);
  setWriting(false);
}

function setWriting(writes: boolean): void {
  if (isWriting.value === writes) return;
  isWriting.value = writes;
  report?.();
}
