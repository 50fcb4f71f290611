/** Everything that was said, and what is being said just now. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { linkify, safeAddress } from "../../shared/linkify";
import type { Message } from "../../shared/views";
import { EmailForm, RatingForm } from "./forms";
import { Icon } from "./icon";
import type { Parcel, Store } from "./store";
import { fill, words } from "./words";

export function Log({ store }: { store: Store }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const { messages, parcels, answers, typing, mode, config } = store;
  useLayoutEffect(() => {
    const element = box.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  });
  useEffect(() => store.markRead(), [messages.value.length]);
  const all = messages.value;
  const lastOwn = all.findLast((message) => message.role === "visitor");
  const closed = mode.value === "closed";
  const alone = config.value?.operators_online === false || config.value?.open === false;
  const thinking = mode.value !== "operator" && mode.value !== "pending" && waits(store);
  return (
    <div
      class="log"
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
      tabIndex={0}
      role="log"
      aria-label={words.title}
      onScroll={(event) => {
        const element = event.currentTarget;
        atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
      }}
    >
      {store.older.value && (
        <button type="button" class="link" onClick={() => store.loadOlder()}>
          {words.earlier}
        </button>
      )}
      {config.value?.welcome && !store.older.value && <Bubble by="ai" text={config.value.welcome} />}
      {all.map((message, index) => (
        <Turn
          key={message.id}
          message={message}
          before={all[index - 1]}
          mark={
            message === lastOwn && !parcels.value.length
              ? store.readSeq.value >= message.seq
                ? words.seen
                : words.sent
              : ""
          }
        />
      ))}
      {parcels.value.map((parcel) => (
        <Unsent key={parcel.id} parcel={parcel} store={store} />
      ))}
      {[...answers.value].map(([id, text]) => (
        <Bubble key={id} by="ai" text={text} growing />
      ))}
      {thinking && <Dots label={words.thinking} />}
      {typing.value !== null && (
        <Dots label={fill(words.typing, { name: typing.value || store.operator.value || "" })} />
      )}
      {mode.value === "pending" && !alone && <p class="line">{words.waiting}</p>}
      {mode.value === "pending" && alone && <EmailForm store={store} />}
      {closed && <p class="line">{words.closed}</p>}
      {closed && all.some((message) => message.role === "operator") && <RatingForm store={store} />}
      {(mode.value === "ai" || mode.value === null) &&
        (all.length > 0 || parcels.value.length > 0) &&
        !store.blocked.value && (
          <button type="button" class="chip" onClick={() => store.askForPerson()}>
            <Icon name="person" size={16} />
            {words.person}
          </button>
        )}
    </div>
  );
}

/** Whether an answer is owed and has not begun. */
function waits(store: Store): boolean {
  if (store.answers.value.size) return false;
  return (
    store.parcels.value.some((parcel) => parcel.state === "sent") ||
    store.messages.value.at(-1)?.role === "visitor"
  );
}

interface TurnProps {
  message: Message;
  before: Message | undefined;
  mark: string;
}

function Turn({ message, before, mark }: TurnProps) {
  const original = useSignal(false);
  if (message.role === "system") {
    return (
      <p class="line" dir="auto">
        {message.content}
      </p>
    );
  }
  const translation =
    message.role === "operator" && message.translation?.status === "done" ? message.translation : null;
  const text = translation?.content && !original.value ? translation.content : message.content;
  const newSpeaker = message.role === "operator" && before?.sender?.id !== message.sender?.id;
  return (
    <>
      {newSpeaker && message.sender && (
        <p class="line" dir="auto">
          {fill(words.took, { name: message.sender.name })}
        </p>
      )}
      <Bubble
        by={message.role}
        text={text}
        image={message.image_url ?? ""}
        at={message.created_at}
        mark={mark}
      >
        {translation && (
          <button type="button" class="link" onClick={() => (original.value = !original.value)}>
            {original.value ? words.translated : words.original}
          </button>
        )}
      </Bubble>
    </>
  );
}

interface BubbleProps {
  by: string;
  text: string;
  image?: string;
  at?: string;
  mark?: string;
  growing?: boolean;
  children?: preact.ComponentChildren;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function Bubble({ by, text, image, at, mark, growing, children }: BubbleProps) {
  const address = image ? safeAddress(new URL(image, location.href).href) : undefined;
  return (
    <div class={`turn ${by}`} aria-busy={growing}>
      <div class="bubble" title={at ? clock.format(new Date(at)) : undefined}>
        {address && (
          <a href={address} target="_blank" rel="noopener noreferrer nofollow">
            <img src={address} alt={words.picture} loading="lazy" />
          </a>
        )}
        {text && (
          <p dir="auto">
            {linkify(text).map((piece, index) =>
              piece.href ? (
                <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
                  {piece.text}
                </a>
              ) : (
                piece.text
              ),
            )}
          </p>
        )}
      </div>
      {children}
      {mark && <span class="mark">{mark}</span>}
    </div>
  );
}

function Unsent({ parcel, store }: { parcel: Parcel; store: Store }) {
  const words_ = { sending: words.sending, sent: words.sent, waiting: words.retrying, failed: words.failed };
  return (
    <>
      <Bubble
        by="visitor"
        text={parcel.text}
        image={parcel.image}
        mark={`${words_[parcel.state]} ${parcel.why}`.trim()}
      />
      {parcel.state === "failed" && (
        <button type="button" class="link end" onClick={() => store.tryAgain(parcel.id)}>
          {words.again}
        </button>
      )}
    </>
  );
}

function Dots({ label }: { label: string }) {
  return (
    <p class="typing" role="status">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span dir="auto">{label}</span>
    </p>
  );
}
