/** The messages, notes and events of a conversation in order. Stays scrolled to the end while it is there. */

import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation, Message, Note } from "../../../shared/apiTypes";
import { TypingDots } from "../../../shared/components";
import { EndFollower } from "../../../shared/endFollower";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { outgoingMessages } from "../composer/outbox";
import { formatDay, isSameDay } from "../i18n/formats";
import { t, tx } from "../i18n/i18n";
import { visitorName } from "../inbox/conversations";
import { typingVisitors } from "../visitors/presence";
import {
  describeCandidates,
  describeHistory,
  MessageItem,
  NoteItem,
  OutgoingItem,
  SystemItem,
} from "./messages";
import { type HistoryEntry, loadMessagesUntil, loadOlderMessages, type Thread } from "./threads";

type TimelineEntry =
  | { kind: "message"; at: string; message: Message; isFollowUp: boolean }
  | { kind: "note"; at: string; note: Note }
  | { kind: "history"; at: string; entry: HistoryEntry }
  | { kind: "day"; at: string };

const SCROLL_THRESHOLD_PX = 80;
/** How long an entry that was looked for stands out. */
const FOUND_MS = 2500;
/** Messages of one author closer together than this have one header. */
const FOLLOW_UP_MS = 180_000;

interface TimelineProps {
  thread: Thread;
  conversation: Conversation;
  /** The entry to show: m12 is the message with seq 12, n5 the note 5. */
  target: string | undefined;
}

export function Timeline({ thread, conversation, target }: TimelineProps) {
  const { id } = conversation;
  const element = useRef<HTMLDivElement>(null);
  const follower = useRef(new EndFollower());
  const lastHeight = useRef(0);
  const loadingOlder = useRef(false);
  const newBelow = useSignal(0);
  const outgoing = useComputed(() => outgoingMessages.value.filter((item) => item.conversation === id)).value;
  const name = visitorName(conversation);
  const typing = typingVisitors.value.get(id);
  const lastSeq = thread.messages.at(-1)?.seq ?? 0;

  useEffect(() => {
    if (!follower.current.isAtEnd) newBelow.value += 1;
  }, [lastSeq]);

  useLayoutEffect(() => {
    const list = element.current;
    if (!list) return;
    if (follower.current.isAtEnd) list.scrollTop = list.scrollHeight;
    // Older messages were added above: keep the position of what the operator reads.
    else if (loadingOlder.current && list.scrollTop < SCROLL_THRESHOLD_PX * 2)
      list.scrollTop += list.scrollHeight - lastHeight.current;
    lastHeight.current = list.scrollHeight;
  });

  // An image that loads late makes the list longer, a longer draft the space for it smaller.
  useEffect(() => {
    const list = element.current;
    if (!list) return;
    const observer = new ResizeObserver(() => {
      if (follower.current.isAtEnd) list.scrollTop = list.scrollHeight;
    });
    observer.observe(list);
    for (const child of list.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (!target) return undefined;
    let isCurrent = true;
    const show = async () => {
      await runWithToast(() => loadMessagesUntil(id, placeOf(target, thread)));
      // After the next paint, which has what was loaded.
      requestAnimationFrame(() => {
        const list = element.current;
        const item = list?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(target)}"]`);
        if (!isCurrent || !list || !item) return;
        follower.current.onScroll(list);
        item.scrollIntoView({ block: "center" });
        follower.current.onScroll(list);
        item.classList.add("found");
        setTimeout(() => item.classList.remove("found"), FOUND_MS);
      });
    };
    void show();
    return () => {
      isCurrent = false;
    };
  }, [target]);

  const onScroll = async () => {
    const list = element.current;
    if (!list) return;
    follower.current.onScroll(list);
    if (follower.current.isAtEnd) newBelow.value = 0;
    if (list.scrollTop > SCROLL_THRESHOLD_PX || thread.complete || loadingOlder.current) return;
    loadingOlder.current = true;
    await runWithToast(() => loadOlderMessages(id));
    setTimeout(() => {
      loadingOlder.current = false;
    }, 100);
  };

  const scrollToEnd = () => {
    const list = element.current;
    if (list) list.scrollTop = list.scrollHeight;
  };

  return (
    <div class="timeline-box">
      <div
        class="timeline"
        ref={element}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it.
        tabIndex={0}
        role="region"
        aria-label={t("conversation.messages")}
      >
        <ol class="message-list" aria-live="polite" aria-relevant="additions">
          {!thread.complete && <li class="system-item">{t("conversation.loadingEarlier")}</li>}
          {buildEntries(thread).map((entry) => (
            <TimelineItem key={entryKey(entry)} entry={entry} conversation={conversation} name={name} />
          ))}
          {outgoing.map((item) => (
            <OutgoingItem key={item.key} item={item} />
          ))}
        </ol>
        {typing && (
          <div class="typing-indicator" role="status">
            <TypingDots />
            <span>
              {tx("conversation.isTyping", { name: <span dir="auto">{typing.name || name}</span> })}
            </span>
          </div>
        )}
      </div>
      {newBelow.value > 0 && (
        <button type="button" class="scroll-to-end" onClick={scrollToEnd}>
          <Icon name="back" size={14} />
          {t("conversation.newMessages")}
        </button>
      )}
    </div>
  );
}

interface TimelineItemProps {
  entry: TimelineEntry;
  conversation: Conversation;
  name: string;
}

function TimelineItem({ entry, conversation, name }: TimelineItemProps) {
  switch (entry.kind) {
    case "message":
      return (
        <MessageItem
          message={entry.message}
          conversation={conversation}
          name={name}
          isFollowUp={entry.isFollowUp}
        />
      );
    case "note":
      return <NoteItem note={entry.note} />;
    case "history":
      return (
        <SystemItem
          text={describeHistory(entry.entry, name)}
          at={entry.at}
          more={describeCandidates(entry.entry)}
        />
      );
    case "day":
      return (
        <li class="day-heading">
          <span>{formatDay(entry.at)}</span>
        </li>
      );
  }
}

/** Where an entry is; of no place if there is none. */
function placeOf(target: string, thread: Thread): { seq?: number; at?: string } {
  const id = Number(target.slice(1));
  if (target.startsWith("m") && Number.isInteger(id)) return { seq: id };
  const note = thread.notes.find((one) => target === `n${one.id}`);
  return note ? { at: note.created_at } : {};
}

function entryKey(entry: TimelineEntry): string {
  if (entry.kind === "message") return `m${entry.message.seq}`;
  if (entry.kind === "note") return `n${entry.note.id}`;
  return entry.kind === "history" ? `h${entry.at}${entry.entry.action}` : `d${entry.at}`;
}

/** Messages in order of their seq; notes and events between them by time. */
function buildEntries(thread: Thread): TimelineEntry[] {
  const oldest = thread.complete ? "" : (thread.messages[0]?.created_at ?? "");
  const others: TimelineEntry[] = [
    ...thread.notes.map((note) => ({ kind: "note" as const, at: note.created_at, note })),
    ...thread.history.map((entry) => ({ kind: "history" as const, at: entry.at, entry })),
  ].filter((entry) => entry.at >= oldest);
  others.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const merged: TimelineEntry[] = [];
  let next = 0;
  for (const message of thread.messages) {
    for (let other = others[next]; other && other.at <= message.created_at; other = others[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push({ kind: "message", at: message.created_at, message, isFollowUp: false });
  }
  return insertDays([...merged, ...others.slice(next)]);
}

/** Adds a heading before each day, and marks the messages that need no header of their own. */
function insertDays(entries: TimelineEntry[]): TimelineEntry[] {
  const result: TimelineEntry[] = [];
  let previous: TimelineEntry | undefined;
  for (const entry of entries) {
    if (!previous || !isSameDay(previous.at, entry.at)) result.push({ kind: "day", at: entry.at });
    else if (entry.kind === "message" && previous.kind === "message")
      entry.isFollowUp = isFollowUp(previous.message, entry.message);
    result.push(entry);
    previous = entry;
  }
  return result;
}

const isFollowUp = (first: Message, second: Message): boolean =>
  first.role === second.role &&
  first.sender?.id === second.sender?.id &&
  Date.parse(second.created_at) - Date.parse(first.created_at) < FOLLOW_UP_MS;
