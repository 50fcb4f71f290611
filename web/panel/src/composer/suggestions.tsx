/** What can be inserted into a reply or a note while it is typed: canned replies after a "/", people after an "@". */
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";
import type { CannedReply, Conversation } from "../../../shared/apiTypes";
import { cannedRepliesOfSite, countUse, refreshCannedReplies } from "../cannedReplies/store";
import { fillVariables, findTrigger, matchReplies, type Trigger } from "../cannedReplies/text";
import { composerInsertion } from "../conversation/actions";
import { t } from "../i18n/i18n";
import { findMentionTrigger, loadMentionable, matchMentionable } from "../mentions/mentions";
import { toRows } from "../quickReplies/rows";
import { me } from "../session/session";
import { getSiteName } from "../sites/sites";
import { type DraftKind, getDraft, setDraft } from "./drafts";
import { getSelection, replaceText, type TextRange } from "./textField";

const MAX_SUGGESTIONS = 8;

/** A canned reply or a person, to insert where it was begun. */
interface Choice {
  key: number;
  /** What the operator may type. */
  mark: string;
  text: string;
  run: () => void;
}

export interface Suggestions {
  choices: Choice[];
  selected: number;
  /** Finds what is being typed in front of the cursor. */
  update(text: string, cursor: number): void;
  /** Shows all canned replies; the one that is chosen goes to where the cursor is in the reply. */
  showReplies(): void;
  close(): void;
  /** Whether the key moves in the list, chooses from it or closes it. */
  handleKey(event: KeyboardEvent): boolean;
}

export function useSuggestions(
  conversation: Conversation,
  kind: DraftKind,
  field: RefObject<HTMLTextAreaElement>,
): Suggestions {
  const { id, site_id: siteId } = conversation;
  const isNote = kind === "note";
  /** Where the choice goes, and in which text; null while nothing is being chosen. */
  const range = useSignal<(Trigger & { kind: DraftKind }) | null>(null);
  const selected = useSignal(0);
  const close = () => {
    range.value = null;
  };
  const insert = (put: () => void) => {
    put();
    close();
    selected.value = 0;
    field.current?.focus();
  };
  useInsertion(conversation, isNote, field);
  const update = (text: string, cursor: number) => {
    const typed = isNote ? findMentionTrigger(text, cursor) : findTrigger(text, cursor);
    range.value = typed && { ...typed, kind };
    selected.value = 0;
    if (!typed) return;
    // Without the list, the note can still be written; the names are looked up again when it is sent.
    if (isNote) loadMentionable(siteId).catch(() => undefined);
    else refreshCannedReplies();
  };
  const showReplies = () => {
    const end = getDraft(id).reply.length;
    const selection = field.current && !isNote ? getSelection(field.current) : { start: end, end };
    range.value = { ...selection, query: "", kind: "reply" };
    selected.value = 0;
    refreshCannedReplies();
  };
  const isChoosing = range.value?.kind === kind;
  const choices =
    range.value && isChoosing
      ? (isNote ? findPeople : findReplies)(conversation, range.value, field, insert)
      : [];
  const handleKey = (event: KeyboardEvent) => handleChoiceKey(event, choices, selected, close);
  return { choices, selected: selected.value, update, showReplies, close, handleKey };
}

function handleChoiceKey(
  event: KeyboardEvent,
  choices: readonly Choice[],
  selected: Signal<number>,
  close: () => void,
): boolean {
  if (!choices.length) return false;
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const isChoice = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey;
  if (step && !event.altKey) selected.value = (selected.value + step + choices.length) % choices.length;
  else if (isChoice) choices[Math.min(selected.value, choices.length - 1)]?.run();
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  return true;
}

type Insert = (put: () => void) => void;

function findReplies(
  conversation: Conversation,
  range: Trigger,
  field: RefObject<HTMLTextAreaElement>,
  insert: Insert,
): Choice[] {
  return matchReplies(cannedRepliesOfSite(conversation.site_id), range.query)
    .slice(0, MAX_SUGGESTIONS)
    .map((reply) => ({
      key: reply.id,
      mark: `/${reply.shortcut}`,
      text: reply.text,
      run: () => insert(() => insertReply(conversation, field.current, range, reply)),
    }));
}

function findPeople(
  conversation: Conversation,
  range: Trigger,
  field: RefObject<HTMLTextAreaElement>,
  insert: Insert,
): Choice[] {
  return matchMentionable(conversation.site_id, range.query)
    .slice(0, MAX_SUGGESTIONS)
    .map(({ id, name }) => ({
      key: id,
      mark: `@${name}`,
      text: "",
      run: () => insert(() => insertName(conversation.id, field.current, range, name)),
    }));
}

function insertName(id: number, field: HTMLTextAreaElement | null, range: TextRange, name: string): void {
  if (!field) return;
  replaceText(field, range, `@${name} `);
  setDraft(id, { note: field.value });
}

function insertReply(
  conversation: Conversation,
  field: HTMLTextAreaElement | null,
  range: TextRange,
  reply: CannedReply,
): void {
  if (!field) return;
  const { id, visitor, site_id: siteId } = conversation;
  const text = fillVariables(reply.text, {
    "visitor.name": visitor.name,
    "visitor.email": visitor.email,
    "operator.name": me.value?.name,
    "site.name": getSiteName(siteId),
  });
  replaceText(field, range, text);
  const draft = getDraft(id);
  setDraft(id, {
    reply: field.value,
    image: draft.image || (reply.image_url ?? ""),
    file: draft.file ?? reply.file ?? null,
    ...(reply.quick_replies.length && { quickReplies: toRows(reply.quick_replies) }),
  });
  countUse(reply);
}

/** Inserts the canned reply that was chosen in the command bar. */
function useInsertion(
  conversation: Conversation,
  isNote: boolean,
  field: RefObject<HTMLTextAreaElement>,
): void {
  const insertion = composerInsertion.value;
  useLayoutEffect(() => {
    if (insertion?.conversation !== conversation.id || isNote || !field.current) return;
    composerInsertion.value = null;
    insertReply(conversation, field.current, getSelection(field.current), insertion.reply);
    field.current.focus();
  }, [insertion, isNote]);
}

interface SuggestionListProps {
  suggestions: Suggestions;
  isNote: boolean;
}

export function SuggestionList({ suggestions: { choices, selected }, isNote }: SuggestionListProps) {
  if (!choices.length) return null;
  return (
    <div
      class="suggestions"
      id="composer-choices"
      role="listbox"
      aria-label={t(isNote ? "composer.people" : "composer.cannedReplies")}
    >
      {choices.map((choice, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys.
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
        <div
          key={choice.key}
          id={`composer-choice-${index}`}
          role="option"
          class="suggestion"
          aria-selected={index === selected}
          onMouseDown={(event) => event.preventDefault()}
          onClick={choice.run}
        >
          <kbd dir="auto">{choice.mark}</kbd>
          <span dir="auto">{choice.text}</span>
        </div>
      ))}
    </div>
  );
}
