/** One turn of a conversation as it is shown: who said it, whether it has been read, what it means in my language. */
import { safeAddress } from "../../../shared/linkify";
import type { Conversation, Message, Note } from "../../../shared/views";
import { me } from "../api/session";
import { atTime, exactly } from "../state/clock";
import { draftOf, setDraft } from "../state/drafts";
import { drop, type Parcel, tryAgain } from "../state/outbox";
import { showTranslations } from "../state/prefs";
import type { HistoryEntry } from "../state/threads";
import { Said } from "../ui/bits";
import { Icon } from "../ui/icon";

interface TurnProps {
  message: Message;
  row: Conversation;
  name: string;
  /** Whether the one before is by the same person, a moment ago. */
  follows: boolean;
}

export function Turn({ message, row, name, follows }: TurnProps) {
  if (message.role === "system") return <SystemLine text={message.content} at={message.created_at} />;
  const own = message.role === "operator" && message.sender?.id === me.value?.id;
  const author =
    message.role === "visitor"
      ? name
      : message.role === "ai"
        ? "AI assistant"
        : own
          ? "You"
          : (message.sender?.name ?? "Operator");
  return (
    <li class={`turn ${message.role}${own ? " own" : ""}${follows ? " follows" : ""}`}>
      {!follows && (
        <div class="turn-head">
          {message.role === "ai" && <Icon name="robot" size={14} />}
          <span class="turn-author" dir="auto">
            {author}
          </span>
        </div>
      )}
      <div class="bubble">
        {message.image_url && <Picture url={message.image_url} />}
        {message.content && (
          <p class="said" dir="auto">
            <Said text={message.content} />
          </p>
        )}
        <TranslationLine message={message} />
        <div class="turn-foot">
          <time dateTime={message.created_at} title={exactly(message.created_at)}>
            {atTime(message.created_at)}
          </time>
          {message.role === "operator" && <ReadMark read={row.visitor_read_seq >= message.seq} />}
        </div>
      </div>
    </li>
  );
}

function TranslationLine({ message }: { message: Message }) {
  const translation = message.translation;
  if (!translation || !showTranslations.value) return null;
  if (translation.status !== "done" || !translation.content) {
    const why =
      translation.status === "unsupported" ? "This language cannot be translated" : "Translation failed";
    return (
      <p class="translation failed">
        <Icon name="language" size={14} /> {why} ({translation.lang})
      </p>
    );
  }
  return (
    <p class="translation" dir="auto" lang={translation.lang}>
      <span class="translation-mark" title={`Translated to ${translation.lang}`}>
        {translation.lang}
      </span>
      <Said text={translation.content} />
    </p>
  );
}

function ReadMark({ read }: { read: boolean }) {
  return (
    <span class={read ? "read-mark read" : "read-mark"} title={read ? "Read" : "Delivered"}>
      <Icon name={read ? "checks" : "check"} size={15} />
      <span class="sr">{read ? "Read" : "Delivered"}</span>
    </span>
  );
}

export function Picture({ url }: { url: string }) {
  const address = safeAddress(new URL(url, location.href).href);
  if (!address) return null;
  return (
    <a class="picture" href={address} target="_blank" rel="noopener noreferrer nofollow">
      <img src={address} alt="Sent in the chat" loading="lazy" />
    </a>
  );
}

export function NoteTurn({ note }: { note: Note }) {
  const own = note.author.id === me.value?.id;
  return (
    <li class="turn note">
      <div class="turn-head">
        <Icon name="note" size={14} />
        <span class="turn-author" dir="auto">
          {own ? "You" : note.author.name}
        </span>
        <span class="turn-kind">private note</span>
      </div>
      <div class="bubble">
        <p class="said" dir="auto">
          <Said text={note.content} />
        </p>
        <div class="turn-foot">
          <time dateTime={note.created_at} title={exactly(note.created_at)}>
            {atTime(note.created_at)}
          </time>
        </div>
      </div>
    </li>
  );
}

export function SystemLine({ text, at }: { text: string; at: string }) {
  return (
    <li class="system-line">
      <span dir="auto">{text}</span>
      <time dateTime={at} title={exactly(at)}>
        {atTime(at)}
      </time>
    </li>
  );
}

export function historyText(entry: HistoryEntry, visitor: string): string {
  const who = entry.by ? (entry.by.id === me.value?.id ? "You" : entry.by.name) : visitor;
  const to = entry.to ? (entry.to.id === me.value?.id ? "you" : entry.to.name) : "somebody";
  switch (entry.action) {
    case "pending":
      return entry.by ? `${who} put this back into the queue` : "A person was asked for";
    case "accepted":
      return `${who} took over`;
    case "transferred":
      return `${who} passed this to ${to}`;
    case "released":
      return entry.by ? `${who} gave this back to the AI` : "Given back to the AI";
    case "timed_out":
      return "The operator was silent for too long";
    case "closed":
      return entry.by ? `${who} closed the chat` : "The chat was closed";
    default:
      return entry.action;
  }
}

/** Back into the text field it goes, after whatever has been begun there meanwhile. */
function takeBack(parcel: Parcel): void {
  const draft = draftOf(parcel.conversation);
  const text = [parcel.content, draft.text].filter(Boolean).join("\n");
  setDraft(parcel.conversation, { text, image: draft.image || parcel.image, note: parcel.kind === "note" });
  drop(parcel.key);
}

/** What was sent from here and is not confirmed: shown as what it is. */
export function ParcelTurn({ parcel }: { parcel: Parcel }) {
  const failed = parcel.state === "failed";
  return (
    <li class={`turn ${parcel.kind === "note" ? "note" : "operator own"} unsent${failed ? " failed" : ""}`}>
      <div class="bubble">
        {parcel.image && <Picture url={parcel.image} />}
        {parcel.content && (
          <p class="said" dir="auto">
            {parcel.content}
          </p>
        )}
        <div class="turn-foot" role="status">
          <Icon name={failed ? "info" : "clock"} size={14} />
          <span>
            {failed
              ? `Not sent. ${parcel.why}`
              : parcel.state === "waiting"
                ? `Waiting to send. ${parcel.why}`
                : "Sending…"}
          </span>
          {parcel.state !== "sending" && (
            <>
              <button type="button" class="text-button" onClick={() => tryAgain(parcel.key)}>
                Try again
              </button>
              <button type="button" class="text-button" onClick={() => takeBack(parcel)}>
                Edit
              </button>
            </>
          )}
        </div>
      </div>
    </li>
  );
}
