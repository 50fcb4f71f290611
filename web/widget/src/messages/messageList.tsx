/** The conversation: messages, AI replies that are being written, and what the visitor can do next. */
import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Message } from "../../../shared/apiTypes";
import { TypingDots } from "../../../shared/components";
import { EndFollower } from "../../../shared/endFollower";
import { format, locale, strings } from "../i18n/i18n";
import { Icon } from "../icon";
import { lazyPart } from "../lazyPart";
import type { WidgetStore } from "../widgetStore";
import { LeaveMessage } from "./leaveMessage";
import { Bubble, MessageItem, OutgoingItem } from "./message";
import type { Offer } from "./quickReplies";

const DAY_MS = 86_400_000;

const ConsentForm = lazyPart(async () => (await import("../forms/consentForm")).ConsentForm);
const QuickReplies = lazyPart(async () => (await import("./quickReplies")).QuickReplies);
const SiteForm = lazyPart(async () => (await import("../forms/siteForm")).SiteForm);
const PendingStep = lazyPart(async () => (await import("./pendingStep")).PendingStep);
const ClosedStep = lazyPart(async () => (await import("./closedStep")).ClosedStep);

export function MessageList({ store }: { store: WidgetStore }) {
  const element = useRef<HTMLDivElement>(null);
  const follower = useRef(new EndFollower());
  const { messages, outgoing, partialReplies, typing, mode, config } = store;
  const form = store.form.value;
  const scrollToEnd = () => {
    const list = element.current;
    if (list && follower.current.isAtEnd) list.scrollTop = list.scrollHeight;
  };
  useLayoutEffect(scrollToEnd);
  // Images and parts arrive late, and the window changes its size with the keyboard of a phone.
  useEffect(() => {
    const list = element.current;
    if (!list || typeof ResizeObserver === "undefined") return undefined;
    const sizes = new ResizeObserver(scrollToEnd);
    sizes.observe(list);
    const parts = new MutationObserver(scrollToEnd);
    parts.observe(list, { childList: true, subtree: true });
    list.addEventListener("load", scrollToEnd, true);
    return () => {
      sizes.disconnect();
      parts.disconnect();
    };
  }, []);
  useEffect(() => store.markRead(), [messages.value.length]);
  const lastOwn = messages.value.findLast((message) => message.role === "visitor");
  const offer = findOffer(store);
  const welcome = config.value?.welcome;
  const joinings = findJoinings(messages.value);
  return (
    <div
      class="message-list"
      ref={element}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
      tabIndex={0}
      role="log"
      aria-label={strings.title}
      onScroll={(event) => follower.current.onScroll(event.currentTarget)}
    >
      {store.hasOlder.value && (
        <button type="button" class="text-button" onClick={() => store.loadOlder()}>
          {strings.earlierMessages}
        </button>
      )}
      {welcome && !store.hasOlder.value && <Bubble author="ai" name={strings.assistant} text={welcome} />}
      {messages.value.map((message, index) => (
        <Fragment key={message.id}>
          <DayLine message={message} previous={messages.value[index - 1]} />
          {message.id === store.firstNew.value && <p class="line new">{strings.newMessages}</p>}
          <MessageItem
            message={message}
            previous={messages.value[index - 1]}
            next={messages.value[index + 1]}
            hasJoined={joinings.has(message.id)}
            status={
              message === lastOwn && !outgoing.value.length
                ? store.readSeq.value >= message.seq && config.value?.read_receipts !== false
                  ? strings.seen
                  : strings.sent
                : ""
            }
          />
        </Fragment>
      ))}
      {store.trigger.value && (
        <Bubble author="ai" name={strings.assistant} text={store.trigger.value.message} />
      )}
      {offer?.quick_replies?.length ? <QuickReplies key={offer.seq} store={store} message={offer} /> : null}
      {outgoing.value.map((message) => (
        <OutgoingItem key={message.key} message={message} onRetry={() => store.retry(message.key)} />
      ))}
      {[...partialReplies.value].map(([key, text]) => (
        <Bubble key={key} author="ai" name={strings.assistant} text={text} partial />
      ))}
      {mode.value !== "operator" && mode.value !== "pending" && isAwaitingReply(store) && (
        <TypingIndicator label={strings.replying} />
      )}
      {typing.value !== null && (
        <TypingIndicator
          label={format(strings.typing, { name: typing.value || store.operator.value || "" })}
        />
      )}
      {store.notice.value && (
        <p class="notice" role="status">
          {store.notice.value}
        </p>
      )}
      {/* A closed chat can still be rated and kept, also where the form replaces the next one. */}
      {(form !== "offline" || (mode.value === "closed" && !store.isLeaving.value)) && (
        <NextStep store={store} offer={offer} />
      )}
      {form && !store.blocked.value && (
        <SiteForm key={form + store.formRevision.value} store={store} kind={form} />
      )}
    </div>
  );
}

/** The messages before which an operator joins. A visitor's message in between does not count as a change of operator. */
function findJoinings(messages: readonly Message[]): Set<number> {
  const joinings = new Set<number>();
  let last: Message | undefined;
  for (const message of messages) {
    if (message.role === "visitor") continue;
    const isSame =
      last?.sender?.id === message.sender?.id && last?.conversation_id === message.conversation_id;
    if (message.role === "operator" && !isSame) joinings.add(message.id);
    last = message;
  }
  return joinings;
}

/** The day, before its first message. A chat of today needs none. */
function DayLine({ message, previous }: { message: Message; previous: Message | undefined }) {
  const day = dayNumber(message.created_at);
  const today = dayNumber(new Date());
  if (day === dayNumber(previous?.created_at ?? new Date())) return null;
  return <p class="line">{formatDay(message.created_at, day - today)}</p>;
}

/** The local day, as a number that counts up by one. */
function dayNumber(at: string | Date): number {
  const date = new Date(at);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS;
}

/** "today", "yesterday", or the date, in the widget's language. */
function formatDay(at: string, daysFromToday: number): string {
  if (daysFromToday > -2) {
    return new Intl.RelativeTimeFormat(locale.language, { numeric: "auto" }).format(daysFromToday, "day");
  }
  const format = { weekday: "long", day: "numeric", month: "long" } as const;
  return new Date(at).toLocaleDateString(locale.language, format);
}

/** What follows the messages: a notice, a form, or the button that asks for a human. */
function NextStep({ store, offer }: { store: WidgetStore; offer: Offer | undefined }) {
  const { messages, outgoing, mode, config } = store;
  if (mode.value === "pending") return <PendingStep store={store} />;
  if (mode.value === "closed") return <ClosedStep store={store} />;
  const last = messages.value.at(-1);
  if (last?.confirmation && !outgoing.value.length) return <ConsentForm store={store} message={last} />;
  const hasWritten = messages.value.length > 0 || outgoing.value.length > 0;
  if (mode.value === "operator" || store.blocked.value || store.form.value) return null;
  if (config.value?.offline_form) return <LeaveMessage store={store} />;
  if (!hasWritten || offer?.quick_replies?.some((reply) => reply.handoff)) return null;
  return (
    <button type="button" class="handoff-button" onClick={() => store.requestHandoff()}>
      <Icon name="person" size={16} />
      {strings.askForHuman}
    </button>
  );
}

/** Whose quick replies can be chosen: those of the last message, or of what the assistant wrote first. */
function findOffer(store: WidgetStore): Offer | undefined {
  const { messages, outgoing, partialReplies, mode, blocked, form, trigger } = store;
  if (outgoing.value.length || partialReplies.value.size || blocked.value || form.value) return undefined;
  // The conversation begins with it.
  if (trigger.value) return { ...trigger.value, seq: 1 };
  return mode.value === "closed" ? undefined : messages.value.at(-1);
}

/** Whether the AI has to reply and has not started to. */
function isAwaitingReply({ partialReplies, outgoing, messages }: WidgetStore): boolean {
  if (partialReplies.value.size) return false;
  return (
    outgoing.value.some((message) => message.state === "sent") || messages.value.at(-1)?.role === "visitor"
  );
}

const TypingIndicator = ({ label }: { label: string }) => (
  <p class="typing-indicator" role="status">
    <TypingDots />
    <span dir="auto">{label}</span>
  </p>
);
