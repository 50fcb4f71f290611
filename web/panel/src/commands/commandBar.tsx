/** The command bar: finds every action, chat, person, setting and canned reply by a few letters. */
import { untracked, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { openConversationId } from "../navigation/route";
import { me } from "../session/session";
import { persistedSignal } from "../settings/preferences";
import { toKeyCaps } from "./keys";
import { compareImportance, type Match, Matcher } from "./match";
import { commandBarOpen } from "./registry";
import {
  collectEntries,
  ENTRY_GROUPS,
  type Entry,
  type EntryGroup,
  fetchedSources,
  refreshSources,
  searchEntry,
} from "./sources";
import "./commandBar.css";

const MAX_PER_GROUP = 7;
const MAX_RECENT = 5;
const MAX_STORED = 30;
const PAGE_STEP = 5;

/** The ids of what was chosen last, newest first, by operator. */
const chosen = persistedSignal<Record<string, string[]>>("commands", {});

const chosenByMe = (): string[] => chosen.value[me.value?.id ?? 0] ?? [];

function remember(id: string): void {
  const ids = [id, ...chosenByMe().filter((one) => one !== id)].slice(0, MAX_STORED);
  chosen.value = { ...chosen.value, [me.value?.id ?? 0]: ids };
}

interface Group {
  name: EntryGroup;
  entries: Entry[];
}

/** The best matches of each group; the group with the best match first. */
function groupMatches(matches: readonly Match<Entry>[]): Group[] {
  const groups = new Map<EntryGroup, Entry[]>();
  for (const { entry } of matches) {
    const entries = groups.get(entry.group) ?? [];
    groups.set(entry.group, entries);
    if (entries.length < MAX_PER_GROUP) entries.push(entry);
  }
  return [...groups].map(([name, entries]) => ({ name, entries }));
}

/** What is shown before anything is typed: what was used last, then every group. */
function groupAll(entries: readonly Entry[], recent: readonly string[]): Group[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const used = recent.flatMap((id) => byId.get(id) ?? []).slice(0, MAX_RECENT);
  const others = entries.filter((entry) => !used.includes(entry));
  const ordered = others.sort(compareImportance);
  const names = (Object.keys(ENTRY_GROUPS) as EntryGroup[]).filter((name) => name !== "recent");
  return [
    { name: "recent" as const, entries: used },
    ...names.map((name) => ({
      name,
      entries: ordered
        .filter((entry) => entry.group === name)
        .slice(0, name === "chat" ? undefined : MAX_PER_GROUP),
    })),
  ].filter((group) => group.entries.length > 0);
}

function prepare() {
  const entries = collectEntries();
  const recent = chosenByMe().filter((id) => id !== `chat:${openConversationId.value}`);
  return { matcher: new Matcher(entries, recent), initial: groupAll(entries, recent) };
}

export function CommandBar() {
  return commandBarOpen.value ? <OpenCommandBar /> : null;
}

function OpenCommandBar() {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const query = useSignal("");
  const selected = useSignal(0);
  const restoreCursor = useRef(() => {});
  useLayoutEffect(() => {
    restoreCursor.current = rememberCursor();
    dialog.current?.showModal();
    refreshSources();
    // The element is gone before the browser returns the focus, unless it is closed first.
    return () => dialog.current?.close();
  }, []);
  // As they were when the bar was opened: nothing moves while the operator chooses.
  const { matcher, initial } = useMemo(() => untracked(prepare), [fetchedSources.value]);
  const text = query.value.trim();
  const groups = text ? withSearch(groupMatches(matcher.search(text)), searchEntry(text)) : initial;
  const options = groups.flatMap((group) => group.entries);
  const index = Math.min(selected.value, options.length - 1);

  useLayoutEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [index, text]);

  const close = () => {
    // Returns the focus now: what is chosen may move it on.
    dialog.current?.close();
    restoreCursor.current();
    commandBarOpen.value = false;
  };
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    if (entry.id !== "search") remember(entry.id);
    entry.run();
  };
  const select = (position: number) => {
    selected.value = (position + options.length) % options.length;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const last = options.length - 1;
    if (event.key === "ArrowDown") select(index + 1);
    else if (event.key === "ArrowUp") select(index - 1);
    else if (event.key === "PageDown") select(Math.min(index + PAGE_STEP, last));
    else if (event.key === "PageUp") select(Math.max(index - PAGE_STEP, 0));
    else if (event.key === "Enter") choose(options[index]);
    else if (event.key === "k" && (event.ctrlKey || event.metaKey)) close();
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      class="command-bar"
      aria-label={t("commands.title")}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => event.target === dialog.current && close()}
    >
      <label class="command-search">
        <Icon name="search" size={18} />
        <input
          type="text"
          role="combobox"
          aria-label={t("commands.search")}
          aria-expanded="true"
          aria-controls="command-list"
          aria-autocomplete="list"
          aria-activedescendant={options.length ? `command-${index}` : undefined}
          placeholder={t("commands.placeholder")}
          autoComplete="off"
          spellcheck={false}
          dir="auto"
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            selected.value = 0;
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <div
        ref={list}
        class="command-list"
        id="command-list"
        role="listbox"
        aria-label={t("commands.results")}
      >
        {withPositions(groups).map(({ name, entries: members, first }) => (
          <div key={name} role="group" aria-labelledby={`command-group-${name}`}>
            <p class="command-group" id={`command-group-${name}`} role="presentation">
              {t(ENTRY_GROUPS[name])}
            </p>
            {members.map((entry, offset) => (
              <Option
                key={entry.id}
                entry={entry}
                position={first + offset}
                selected={first + offset === index}
                onChoose={() => choose(entry)}
                onHover={() => (selected.value = first + offset)}
              />
            ))}
          </div>
        ))}
      </div>
      <p class="visually-hidden" role="status">
        {text && t("commands.resultCount", { count: options.length })}
      </p>
    </dialog>
  );
}

/** Returns a function that puts the cursor back: a dialog that closes returns the focus, and not the cursor's place. */
function rememberCursor(): () => void {
  const field = document.activeElement;
  if (!(field instanceof HTMLTextAreaElement)) return () => {};
  const { selectionStart, selectionEnd } = field;
  return () => {
    if (field === document.activeElement) field.setSelectionRange(selectionStart, selectionEnd);
  };
}

interface OptionProps {
  entry: Entry;
  position: number;
  selected: boolean;
  onChoose: () => void;
  onHover: () => void;
}

function Option({ entry, position, selected, onChoose, onHover }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys.
    // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
    <div
      id={`command-${position}`}
      role="option"
      class="command"
      aria-selected={selected}
      onMouseDown={(event) => event.preventDefault()}
      onMouseMove={() => selected || onHover()}
      onClick={onChoose}
    >
      <Icon name={entry.icon} size={17} />
      <span class="command-label" dir="auto">
        {entry.label}
      </span>
      <span class="command-detail" dir="auto">
        {entry.detail}
      </span>
      {entry.keys?.[0] && <Keys keys={entry.keys[0]} />}
    </div>
  );
}

/** A shortcut as keys. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span class="keys">
      {toKeyCaps(keys).map((key, index) => (
        <kbd key={`${index} ${key}`}>{key}</kbd>
      ))}
    </span>
  );
}

function withPositions(groups: readonly Group[]): (Group & { first: number })[] {
  let first = 0;
  return groups.map((group) => {
    const positioned = { ...group, first };
    first += group.entries.length;
    return positioned;
  });
}

/** Adds the search of the list of chats below the chats. */
function withSearch(groups: Group[], entry: Entry): Group[] {
  const chats = groups.find((group) => group.name === "chats");
  if (!chats) return [...groups, { name: "chats", entries: [entry] }];
  return groups.map((group) => (group === chats ? { ...group, entries: [...group.entries, entry] } : group));
}
