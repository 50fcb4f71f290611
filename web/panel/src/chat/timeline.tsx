/** The conversation from its first message to the one that is being typed, kept at its end as it grows. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation, Message, Note } from "../../../shared/views";
import { visitorName } from "../state/chats";
import { dayName, sameDay } from "../state/clock";
import { outbox } from "../state/outbox";
import { typing } from "../state/people";
import { type HistoryEntry, loadOlder, type Thread } from "../state/threads";
import { attempt } from "../state/toasts";
import { Icon } from "../ui/icon";
import { historyText, NoteTurn, ParcelTurn, SystemLine, Turn } from "./messages";

type Item =
  | { kind: "message"; at: string; message: Message; follows: boolean }
  | { kind: "note"; at: string; note: Note }
  | { kind: "history"; at: string; entry: HistoryEntry }
  | { kind: "day"; at: string };

const NEAR = 80;

export function Timeline({ thread, row }: { thread: Thread; row: Conversation }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const height = useRef(0);
  const busy = useRef(false);
  const below = useSignal(0);
  const parcels = useComputed(() => outbox.value.filter((parcel) => parcel.conversation === row.id)).value;
  const name = visitorName(row);
  const items = arrange(thread);
  const types = typing.value.get(row.id);
  const lastSeq = thread.messages.at(-1)?.seq ?? 0;

  useEffect(() => {
    if (!atEnd.current) below.value += 1;
  }, [lastSeq]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (atEnd.current) element.scrollTop = element.scrollHeight;
    // Older messages came in above: what was being read stays where it was.
    else if (busy.current && element.scrollTop < NEAR * 2)
      element.scrollTop += element.scrollHeight - height.current;
    height.current = element.scrollHeight;
  });

  const scrolled = async () => {
    const element = box.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (atEnd.current) below.value = 0;
    if (element.scrollTop > NEAR || thread.whole || busy.current) return;
    busy.current = true;
    await attempt(() => loadOlder(row.id));
    setTimeout(() => {
      busy.current = false;
    }, 100);
  };

  const toEnd = () => {
    const element = box.current;
    if (element) element.scrollTop = element.scrollHeight;
  };

  return (
    <div class="timeline-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
      <div class="timeline" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label="Messages">
        <ol class="turns" aria-live="polite" aria-relevant="additions">
          {!thread.whole && <li class="system-line">Loading earlier messages…</li>}
          {items.map((item) => (
            <Entry key={keyOf(item)} item={item} row={row} name={name} />
          ))}
          {parcels.map((parcel) => (
            <ParcelTurn key={parcel.key} parcel={parcel} />
          ))}
        </ol>
        {types && (
          <div class="typing-line" role="status">
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <span dir="auto">{types.name || name}</span> is typing
          </div>
        )}
      </div>
      {below.value > 0 && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="back" size={14} />
          New messages
        </button>
      )}
    </div>
  );
}

function Entry({ item, row, name }: { item: Item; row: Conversation; name: string }) {
  switch (item.kind) {
    case "message":
      return <Turn message={item.message} row={row} name={name} follows={item.follows} />;
    case "note":
      return <NoteTurn note={item.note} />;
    case "history":
      return <SystemLine text={historyText(item.entry, name)} at={item.at} />;
    case "day":
      return (
        <li class="day-line">
          <span>{dayName(item.at)}</span>
        </li>
      );
  }
}

function keyOf(item: Item): string {
  if (item.kind === "message") return `m${item.message.seq}`;
  if (item.kind === "note") return `n${item.note.id}`;
  return item.kind === "history" ? `h${item.at}${item.entry.action}` : `d${item.at}`;
}

/** Messages in their order, and between them whatever else happened, by its time. */
function arrange(thread: Thread): Item[] {
  const oldest = thread.whole ? "" : (thread.messages[0]?.created_at ?? "");
  const others: Item[] = [
    ...thread.notes.map((note) => ({ kind: "note" as const, at: note.created_at, note })),
    ...thread.history.map((entry) => ({ kind: "history" as const, at: entry.at, entry })),
  ].filter((item) => item.at >= oldest);
  others.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const mixed: Item[] = [];
  let next = 0;
  for (const message of thread.messages) {
    for (let other = others[next]; other && other.at <= message.created_at; other = others[next]) {
      mixed.push(other);
      next += 1;
    }
    mixed.push({ kind: "message", at: message.created_at, message, follows: false });
  }
  return withDays([...mixed, ...others.slice(next)]);
}

function withDays(items: Item[]): Item[] {
  const shown: Item[] = [];
  let before: Item | undefined;
  for (const item of items) {
    if (!before || !sameDay(before.at, item.at)) shown.push({ kind: "day", at: item.at });
    else if (item.kind === "message" && before.kind === "message")
      item.follows = joined(before.message, item.message);
    shown.push(item);
    before = item;
  }
  return shown;
}

const joined = (first: Message, second: Message): boolean =>
  first.role === second.role &&
  first.sender?.id === second.sender?.id &&
  Date.parse(second.created_at) - Date.parse(first.created_at) < 180_000;
