/** The visitor's messages that the server has not confirmed yet. */
import type { FileAttachment } from "../../../shared/apiTypes";
import { ApiError, hasServerText } from "../../../shared/http";
import { Outbox, type OutboxItem } from "../../../shared/outbox";
import { strings } from "../i18n/i18n";

export interface OutgoingMessage extends OutboxItem {
  text: string;
  image: string;
  file?: FileAttachment | null;
  confirm?: string;
  /** The seq of the message whose quick reply it is. */
  replyTo?: number | undefined;
}

/** The code of a message that has to wait until the site's form is answered. */
export const FORM_REQUIRED = "prechat_form_required";

/** Whether the server has no room at the moment: too many people at one address, or at all. */
export const isBusy = ({ status }: ApiError): boolean => status === 429 || status === 503 || status === 504;

interface OutboxHandlers {
  send(message: OutgoingMessage): Promise<void>;
  /** The server refuses messages of this visitor. */
  onBlocked(): void;
  /** The server wants the site's form to be answered first. */
  onFormRequired(): void;
  /** Aborted when the session ends. */
  closed: AbortSignal;
  sessions: readonly (string | undefined)[];
}

export function createOutbox(
  storageKey: string,
  { send, onBlocked, onFormRequired, closed, sessions }: OutboxHandlers,
): Outbox<OutgoingMessage> {
  return new Outbox<OutgoingMessage>({
    storageKey,
    restore: (message) => message,
    sessions,
    // All messages are sent one after another.
    partition: () => "",
    maySend: () => !closed.aborted,
    closed,
    send,
    onError(error) {
      if (!(error instanceof ApiError)) return { action: "fail", message: "" };
      if (error.status === 403 && error.code.includes("block")) onBlocked();
      if (error.code === FORM_REQUIRED) {
        if (error.status) onFormRequired();
        return { action: "stop", message: strings.formFirst };
      }
      if (error.isRetryable) return { action: "retry", message: isBusy(error) ? strings.serverBusy : "" };
      return { action: "fail", message: hasServerText(error) ? error.message : "" };
    },
  });
}
