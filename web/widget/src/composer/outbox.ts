/** The visitor's messages that the server has not confirmed yet. */
import { ApiError } from "../../../shared/http";
import { Outbox, type OutboxItem } from "../../../shared/outbox";

export interface OutgoingMessage extends OutboxItem {
  text: string;
  image: string;
}

interface OutboxHandlers {
  send(message: OutgoingMessage): Promise<void>;
  /** The server refuses messages of this visitor. */
  onBlocked(): void;
  /** Whether the session is still this one. */
  isOpen(): boolean;
}

export function createOutbox(
  storageKey: string,
  { send, onBlocked, isOpen }: OutboxHandlers,
): Outbox<OutgoingMessage> {
  return new Outbox<OutgoingMessage>({
    storageKey,
    restore: (message) => message,
    // All messages are sent one after another.
    partition: () => "",
    maySend: isOpen,
    send,
    onError(error) {
      if (!(error instanceof ApiError)) return { action: "fail", message: "" };
      if (error.status === 403 && error.code.includes("block")) onBlocked();
      if (error.isRetryable) return { action: "retry", message: "" };
      return { action: "fail", message: error.hasServerText ? error.message : "" };
    },
  });
}
