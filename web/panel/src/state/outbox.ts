/**
 * What the operator has sent and the backend has not yet confirmed. It outlives the page, is tried again until it is
 * settled, and always with the same idempotency key: however often it is sent, it is said once.
 */
import { signal } from "@preact/signals";
import { backoff, pause } from "../../../shared/sse";
import type { Message, Note } from "../../../shared/views";
import { ApiError, ask, sentence } from "../api/http";
import { LoggedOut, me } from "../api/session";
import { addMessage, apply } from "./threads";

export interface Parcel {
  key: string;
  operator: number;
  conversation: number;
  kind: "message" | "note";
  content: string;
  image: string;
  at: string;
  state: "sending" | "waiting" | "failed";
  why: string;
}

const KEY = "parley.outbox";
const OLDEST_MS = 20 * 3600_000;

export const outbox = signal<readonly Parcel[]>(recall());
const busy = new Set<number>();

function recall(): Parcel[] {
  try {
    const parcels = JSON.parse(localStorage.getItem(KEY) ?? "[]") as Parcel[];
    // The backend knows a key for a day: what is older is not sent again unasked.
    return parcels.map((parcel) => {
      const old = Date.now() - Date.parse(parcel.at) > OLDEST_MS;
      return old
        ? { ...parcel, state: "failed", why: "This was never confirmed." }
        : { ...parcel, state: "waiting" };
    });
  } catch {
    return [];
  }
}

function keep(parcels: readonly Parcel[]): void {
  outbox.value = parcels;
  try {
    localStorage.setItem(KEY, JSON.stringify(parcels));
  } catch {
    // It stays in memory.
  }
}

const amend = (key: string, fields: Partial<Parcel>): void =>
  keep(outbox.value.map((parcel) => (parcel.key === key ? { ...parcel, ...fields } : parcel)));

/** Takes a parcel out again: it has arrived, or the operator no longer wants it. */
export const drop = (key: string): void => keep(outbox.value.filter((parcel) => parcel.key !== key));

/** The live event of a message may be faster than the answer to its sending. */
export function arrived(message: Message): void {
  const key = message.message_id?.split(":").at(-1);
  if (key && outbox.value.some((parcel) => parcel.key === key)) drop(key);
}

export function post(parcel: Pick<Parcel, "conversation" | "kind" | "content" | "image">): void {
  const operator = me.value?.id;
  if (!operator) return;
  const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  const at = new Date().toISOString();
  keep([...outbox.value, { ...parcel, key, operator, at, state: "sending", why: "" }]);
  void work(parcel.conversation);
}

export function tryAgain(key: string): void {
  const parcel = outbox.value.find((one) => one.key === key);
  if (!parcel) return;
  amend(key, { state: "waiting", why: "" });
  void work(parcel.conversation);
}

/** Sends what was left over: after a reload, a login, a return of the network. */
export function resume(): void {
  for (const conversation of new Set(outbox.value.map((parcel) => parcel.conversation)))
    void work(conversation);
}

/** One after another within a conversation, so that what was written first is said first. */
async function work(conversation: number): Promise<void> {
  if (busy.has(conversation)) return;
  busy.add(conversation);
  let tries = 0;
  try {
    for (;;) {
      const parcel = outbox.value.find(
        (one) => one.conversation === conversation && one.state !== "failed" && one.operator === me.value?.id,
      );
      if (!parcel) return;
      try {
        await send(parcel);
        tries = 0;
      } catch (problem) {
        if (problem instanceof LoggedOut)
          return amend(parcel.key, { state: "waiting", why: "Log in to send this." });
        if (problem instanceof ApiError && !problem.passing && problem.code !== "idempotency_key_in_flight") {
          amend(parcel.key, { state: "failed", why: sentence(problem) });
          continue;
        }
        tries += 1;
        amend(parcel.key, { state: "waiting", why: sentence(problem) });
        const asked = problem instanceof ApiError ? (problem.retryAfter ?? 0) * 1000 : 0;
        await pause(Math.max(asked, backoff(tries)));
      }
    }
  } finally {
    busy.delete(conversation);
  }
}

async function send(parcel: Parcel): Promise<void> {
  amend(parcel.key, { state: "sending" });
  const { conversation, content, image, key } = parcel;
  if (parcel.kind === "note") {
    const answer = await ask<{ note?: Note }>("/operator/note", {
      body: { conversation_id: conversation, content },
      key,
    });
    if (answer.note) noted(conversation, answer.note);
  } else {
    const body = { conversation_id: conversation, content, ...(image ? { image_url: image } : {}) };
    const answer = await ask<{ message: Message }>("/operator/message", { body, key });
    addMessage(answer.message);
  }
  drop(key);
}

function noted(conversation: number, note: Note): void {
  const event = {
    id: "",
    type: "note.created",
    site_id: 0,
    conversation_id: conversation,
    at: note.created_at,
  };
  apply({ ...event, data: { note } });
}
