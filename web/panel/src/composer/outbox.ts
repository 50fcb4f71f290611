/** The operator's messages and notes that the server has not confirmed yet. */

import type { FileAttachment, Message, QuickReply } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { Outbox, type OutboxItem } from "../../../shared/outbox";
import { randomId } from "../../../shared/storage";
import { api, errorMessage } from "../api/client";
import { addMessage, addNote } from "../conversation/threads";
import { t } from "../i18n/i18n";
import { findMentions } from "../mentions/mentions";
import { LoggedOut, me } from "../session/session";

export interface OutgoingMessage extends OutboxItem {
  operator: number;
  conversation: number;
  kind: "message" | "note";
  content: string;
  image: string;
  file?: FileAttachment | null;
  quickReplies?: QuickReply[];
  /** When it was written (ISO 8601). */
  at: string;
}

/** The server remembers an idempotency key for 24 hours; an older message could be stored twice. */
const MAX_AGE_MS = 20 * 3600_000;

const outbox = new Outbox<OutgoingMessage>({
  storageKey: "parley.outbox",
  restore: (item) =>
    Date.now() - Date.parse(item.at) > MAX_AGE_MS
      ? { ...item, state: "failed", error: t("composer.neverConfirmed") }
      : item,
  partition: (item) => item.conversation,
  maySend: (item) => item.operator === me.value?.id,
  send,
  onError(error) {
    if (error instanceof LoggedOut) return { action: "stop", message: t("composer.logInToSend") };
    const isFinal =
      error instanceof ApiError && !error.isRetryable && error.code !== "idempotency_key_in_flight";
    return { action: isFinal ? "fail" : "retry", message: errorMessage(error) };
  },
});

export const outgoingMessages = outbox.items;

export function enqueueMessage(
  message: Pick<OutgoingMessage, "conversation" | "kind" | "content" | "image" | "file" | "quickReplies">,
): void {
  const operator = me.value?.id;
  if (!operator) return;
  const at = new Date().toISOString();
  outbox.add({ ...message, key: randomId(), operator, at, state: "sending", error: "" });
}

export const removeOutgoing = (key: string): void => outbox.remove(key);
export const retryOutgoing = (key: string): void => outbox.retry(key);
export const resumeOutbox = (): void => outbox.resume();

/** Removes a message whose live event has arrived: that may be earlier than the response to its request. */
export function onMessageCreated(message: Message): void {
  const key = message.message_id?.split(":").at(-1);
  if (key) outbox.remove(key);
}

/** How many messages of an operator are unsent; those that have failed only if asked for. */
export const countUnsent = (operator: number | undefined, includeFailed: boolean): number =>
  outgoingMessages.value.filter(
    (message) => message.operator === operator && (includeFailed || message.state !== "failed"),
  ).length;

async function send(message: OutgoingMessage): Promise<void> {
  const { conversation, kind, content, image, file, quickReplies, key } = message;
  if (kind === "note") {
    const mentions = await findMentions(conversation, content);
    const body = { conversation_id: conversation, content, ...(mentions.length ? { mentions } : {}) };
    const { note } = await api.post("/operator/note", { body, idempotencyKey: key });
    addNote(conversation, note);
  } else {
    const body = {
      conversation_id: conversation,
      content,
      ...(image ? { image_url: image } : {}),
      ...(file ? { file_id: file.id } : {}),
      ...(quickReplies?.length ? { quick_replies: quickReplies } : {}),
    };
    const sent = await api.post("/operator/message", { body, idempotencyKey: key });
    addMessage(sent.message);
  }
  outbox.remove(key);
}
