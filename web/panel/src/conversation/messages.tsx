/** The items of a timeline: messages, private notes, events, and messages that are still being sent. */
import type { Conversation, Message, Note } from "../../../shared/apiTypes";
import { LinkifiedText, MarkdownText, MessageImage } from "../../../shared/components";
import { formatDateTime, formatTime } from "../../../shared/dates";
import { Icon } from "../components/icon";
import { isolate } from "../components/isolate";
import { getDraft, setDraft, setKind } from "../composer/drafts";
import { type OutgoingMessage, removeOutgoing, retryOutgoing } from "../composer/outbox";
import { me } from "../session/session";
import { showTranslations } from "../settings/preferences";
import type { HistoryEntry } from "./threads";

export const IMAGE_ALT = "Image sent in the chat";

interface MessageItemProps {
  message: Message;
  conversation: Conversation;
  /** The visitor's name. */
  name: string;
  /** Whether the message before is by the same author and recent: then it needs no header. */
  isFollowUp: boolean;
}

export function MessageItem({ message, conversation, name, isFollowUp }: MessageItemProps) {
  const { role, content, created_at: at } = message;
  if (role === "system") return <SystemItem text={content} at={at} />;
  const own = role === "operator" && message.sender?.id === me.value?.id;
  return (
    <li class={`message ${role}${own ? " own" : ""}${isFollowUp ? " follow-up" : ""}`}>
      {!isFollowUp && (
        <div class="message-header">
          {role === "ai" && <Icon name="robot" size={14} />}
          <span class="message-author" dir="auto">
            {role === "operator" ? operatorName(message.sender) : role === "ai" ? "AI assistant" : name}
          </span>
        </div>
      )}
      <div class="bubble">
        {message.image_url && <MessageImage url={message.image_url} alt={IMAGE_ALT} />}
        {content && role === "ai" ? (
          <MarkdownText text={content} />
        ) : (
          content && (
            <p class="message-text" dir="auto">
              <LinkifiedText text={content} />
            </p>
          )
        )}
        <TranslationText message={message} />
        <div class="message-footer">
          <Time at={at} />
          {role === "operator" && <DeliveryMark read={conversation.visitor_read_seq >= message.seq} />}
        </div>
      </div>
    </li>
  );
}

const operatorName = (operator: { id: number; name: string } | null): string =>
  operator && operator.id === me.value?.id ? "You" : (operator?.name ?? "Operator");

const Time = ({ at }: { at: string }) => (
  <time dateTime={at} title={formatDateTime(at)}>
    {formatTime(at)}
  </time>
);

function TranslationText({ message }: { message: Message }) {
  const translation = message.translation;
  if (!translation || !showTranslations.value) return null;
  const { status, content, lang } = translation;
  if (status !== "done" || !content) {
    const reason = status === "unsupported" ? "Translation not available" : "Translation failed";
    return (
      <p class="translation failed">
        <Icon name="language" size={14} /> {reason} ({lang})
      </p>
    );
  }
  return (
    <p class="translation" dir="auto" lang={lang}>
      <span class="translation-language" title={`Translated to ${lang}`}>
        {lang}
      </span>
      <LinkifiedText text={content} />
    </p>
  );
}

function DeliveryMark({ read }: { read: boolean }) {
  const label = read ? "Read" : "Delivered";
  return (
    <span class={read ? "delivery-mark read" : "delivery-mark"} title={label}>
      <Icon name={read ? "checks" : "check"} size={15} />
      <span class="visually-hidden">{label}</span>
    </span>
  );
}

export function NoteItem({ note }: { note: Note }) {
  return (
    <li class="message note">
      <div class="message-header">
        <Icon name="note" size={14} />
        <span class="message-author" dir="auto">
          {operatorName(note.author)}
        </span>
        <span>private note</span>
      </div>
      <div class="bubble">
        <p class="message-text" dir="auto">
          <LinkifiedText text={note.content} />
        </p>
        <div class="message-footer">
          <Time at={note.created_at} />
        </div>
      </div>
    </li>
  );
}

export function SystemItem({ text, at }: { text: string; at: string }) {
  return (
    <li class="system-item">
      <span dir="auto">{text}</span>
      <Time at={at} />
    </li>
  );
}

/** An event of a conversation as a sentence. `visitor` is the visitor's name. */
export function describeHistory(entry: HistoryEntry, visitor: string): string {
  const by = isolate(entry.by ? operatorName(entry.by) : visitor);
  const to = entry.to?.id === me.value?.id ? "you" : isolate(entry.to?.name ?? "another operator");
  switch (entry.action) {
    case "pending":
      return entry.by ? `${by} returned this chat to the queue` : "Visitor asked for a human";
    case "accepted":
      return `${by} joined`;
    case "transferred":
      return `${by} transferred this chat to ${to}`;
    case "released":
      return entry.by ? `${by} handed this chat back to AI` : "Handed back to AI";
    case "timed_out":
      return "Requeued: no reply";
    case "operator_removed":
      return "Requeued: the operator left the team";
    case "operator_suspended":
      return "Requeued: the operator was suspended";
    case "operator_lost_access":
      return "Requeued: the operator no longer chats on this site";
    case "closed":
      return entry.by ? `${by} closed the chat` : "Chat closed";
    case "reopened":
      return `${by} reopened the chat`;
    default:
      return entry.action;
  }
}

/** Puts an unsent message back into the composer, before what has been typed there since. */
function moveToDraft(item: OutgoingMessage): void {
  const { conversation, content, image } = item;
  const kind = item.kind === "note" ? "note" : "reply";
  const draft = getDraft(conversation);
  const text = [content, draft[kind]].filter(Boolean).join("\n");
  setDraft(conversation, { [kind]: text, image: draft.image || image });
  setKind(conversation, kind);
  removeOutgoing(item.key);
}

/** A message that the server has not confirmed. */
export function OutgoingItem({ item }: { item: OutgoingMessage }) {
  const failed = item.state === "failed";
  const author = item.kind === "note" ? "note" : "operator own";
  return (
    <li class={`message ${author} unsent${failed ? " failed" : ""}`}>
      <div class="bubble">
        {item.image && <MessageImage url={item.image} alt={IMAGE_ALT} />}
        {item.content && (
          <p class="message-text" dir="auto">
            {item.content}
          </p>
        )}
        <div class="message-footer" role="status">
          <Icon name={failed ? "info" : "clock"} size={14} />
          <span>
            {failed
              ? `Not sent. ${item.error}`
              : item.state === "waiting"
                ? `Waiting to send. ${item.error}`
                : "Sending…"}
          </span>
          {item.state !== "sending" && (
            <>
              <button type="button" class="text-button" onClick={() => retryOutgoing(item.key)}>
                Try again
              </button>
              <button type="button" class="text-button" onClick={() => moveToDraft(item)}>
                Edit
              </button>
            </>
          )}
        </div>
      </div>
    </li>
  );
}
