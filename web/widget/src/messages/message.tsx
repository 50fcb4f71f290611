/** One message: stored, partial, or still being sent. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { FileAttachment, Message } from "../../../shared/apiTypes";
import { LinkifiedText, MarkdownText, MessageImage } from "../../../shared/components";
import { formatTime } from "../../../shared/dates";
import { toSafeUrl } from "../../../shared/linkify";
import type { OutgoingMessage } from "../composer/outbox";
import { format, strings } from "../i18n/i18n";
import { lazyPart } from "../lazyPart";

const WidgetFile = lazyPart(async () => (await import("./widgetFile")).WidgetFile);

interface MessageItemProps {
  message: Message;
  previous: Message | undefined;
  next: Message | undefined;
  /** Whether it is an operator's first since the AI or someone else answered. */
  hasJoined: boolean;
  /** "Sent" or "Seen", for the visitor's last message. */
  status: string;
}

/** Messages of one side that follow each other within this time have one time below them. */
const MAX_GROUP_MS = 5 * 60_000;

export function MessageItem({ message, previous, next, hasJoined, status }: MessageItemProps) {
  const showOriginal = useSignal(false);
  if (message.role === "system") {
    return (
      <p class="notice" dir="auto">
        {message.content}
      </p>
    );
  }
  const at = message.created_at;
  const endsGroup =
    next?.role !== message.role || Date.parse(next.created_at) - Date.parse(at) > MAX_GROUP_MS;
  const isOperator = message.role === "operator";
  const translation = isOperator && message.translation?.status === "done" ? message.translation : null;
  const text = translation?.content && !showOriginal.value ? translation.content : message.content;
  const startsGroup = previous?.role !== message.role || previous.sender?.id !== message.sender?.id;
  return (
    <>
      {hasJoined && message.sender && (
        <p class="notice" dir="auto">
          {format(strings.operatorJoined, { name: message.sender.name })}
        </p>
      )}
      <Bubble
        author={message.role}
        name={startsGroup ? authorName(message) : ""}
        text={text}
        image={message.image_url ?? ""}
        file={message.file}
        at={at}
        status={[endsGroup && formatTime(at), status].filter(Boolean).join(" · ")}
      >
        {!!message.sources?.length && (
          <small class="sources" dir="auto">
            {message.sources.map(({ title, url }) =>
              toSafeUrl(url) ? (
                <a key={title} href={toSafeUrl(url)} target="_blank" rel="noopener noreferrer">
                  {title}
                </a>
              ) : (
                <span key={title}>{title}</span>
              ),
            )}
          </small>
        )}
        {translation && (
          <button
            type="button"
            class="text-button"
            onClick={() => (showOriginal.value = !showOriginal.value)}
          >
            {showOriginal.value ? strings.translation : strings.original}
          </button>
        )}
      </Bubble>
    </>
  );
}

function authorName({ role, sender }: Message): string {
  if (role === "visitor") return strings.you;
  return role === "ai" ? strings.assistant : (sender?.name ?? strings.team);
}

interface BubbleProps {
  author: Message["role"];
  /** Who wrote it, above the first of several messages. */
  name?: string | undefined;
  text: string;
  image?: string;
  file?: FileAttachment | null | undefined;
  at?: string;
  status?: string;
  /** Whether more text follows. */
  partial?: boolean;
  children?: ComponentChildren;
}

export function Bubble({ author, name, text, image, file, at, status, partial, children }: BubbleProps) {
  return (
    <div class={`message ${author}`} aria-busy={partial}>
      {name && (
        <span class={author === "visitor" ? "visually-hidden" : "author"} dir="auto">
          {author === "ai" && <b aria-hidden="true">{strings.ai}</b>}
          {name}
        </span>
      )}
      <div class="bubble" title={at ? formatTime(at) : undefined}>
        {image && <MessageImage url={image} alt={strings.imageAlt} />}
        {file && <WidgetFile file={file} />}
        {text && author === "ai" && <MarkdownText text={text} partial={partial} />}
        {text && author !== "ai" && (
          <p dir="auto">
            <LinkifiedText text={text} />
          </p>
        )}
      </div>
      {children}
      {status && <span class="message-status">{status}</span>}
    </div>
  );
}

const STATE_TEXTS = { sending: "sending", sent: "sent", waiting: "willRetry", failed: "notSent" } as const;

export function OutgoingItem({ message, onRetry }: { message: OutgoingMessage; onRetry: () => void }) {
  const { text, image, file, state, error } = message;
  const status = state === "waiting" && error ? error : strings[STATE_TEXTS[state]];
  return (
    <>
      <Bubble author="visitor" text={text} image={image} file={file} status={status} />
      {state === "failed" && (
        <button type="button" class="text-button end" onClick={onRetry}>
          {strings.tryAgain}
        </button>
      )}
    </>
  );
}
