/**
 * The registry of actions. Every action is defined once (`catalogue.ts`); the page, the open conversation or the composer
 * provides what it does while it is on the screen. The keyboard, the command bar, the list of shortcuts and the buttons'
 * tooltips read it here.
 */
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { singleKeyShortcuts } from "../settings/preferences";
import { COMMANDS, type CommandId } from "./catalogue";
import { nameOfKey, toKeyCaps, worksWhileTyping } from "./keys";

interface Action {
  run: () => void;
  /** Instead of the defined label, as in "Stop translating". */
  label?: string;
}

/** What can be done now. A condition that is not met is written as `condition && action`. */
type Actions = { [K in CommandId]?: Action | (() => void) | false | undefined };

type Entry = [CommandId, Action];

const providers = signal<readonly Entry[][]>([]);

/** Provides actions. Returns a function that takes them back. Of two providers of an action, the later one counts. */
export function provideActions(actions: Actions): () => void {
  const entries = Object.entries(actions)
    .filter((entry) => entry[1])
    .map(
      ([id, action]): Entry => [
        id as CommandId,
        typeof action === "function" ? { run: action } : (action as Action),
      ],
    );
  providers.value = [...providers.peek(), entries];
  return () => {
    providers.value = providers.peek().filter((one) => one !== entries);
  };
}

/** Provides actions while a component is displayed; `inputs` are what they depend on. */
export function useActions(build: () => Actions, inputs: readonly unknown[]): void {
  // In the layout phase: they are there before the next key is handled.
  useLayoutEffect(() => provideActions(build()), inputs);
}

/** What can be done now, by id. */
export function availableActions(): ReadonlyMap<CommandId, Action> {
  return new Map(providers.value.flat());
}

/** Runs an action if it can be done now. */
export function runAction(id: CommandId): void {
  availableActions().get(id)?.run();
}

/** The first shortcut of an action, for a tooltip: "g c". */
export const shortcutHint = (id: CommandId): string => toKeyCaps(COMMANDS[id].keys[0] ?? "").join(" ");

/** A tooltip: the label and the action's shortcut, as in "Accept (a)". */
export const withShortcut = (label: string, id: CommandId): string => `${label} (${shortcutHint(id)})`;

const BY_KEYS = new Map<string, CommandId>();
const PREFIXES = new Set<string>();
for (const [id, { keys }] of Object.entries(COMMANDS)) {
  for (const shortcut of keys) {
    BY_KEYS.set(shortcut, id as CommandId);
    if (shortcut.includes(" ")) PREFIXES.add(shortcut.slice(0, shortcut.indexOf(" ")));
  }
}

export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);

/**
 * Runs the actions whose shortcuts are pressed. Ignored in dialogs; in text fields and when the operator has turned
 * single keys off, those without a modifier. Returns a function that unbinds them.
 */
export function bindShortcuts(): () => void {
  let prefix = "";
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const name = nameOfKey(event);
    // Shift on its own may be a part of the second key.
    if (!name || event.key === "Shift") return;
    const isPlain = !worksWhileTyping(name);
    if (isPlain && (isTextField(event.target) || !singleKeyShortcuts.value)) {
      prefix = "";
      return;
    }
    const isSecond = prefix !== "";
    const id = BY_KEYS.get(`${prefix}${name}`);
    prefix = !isSecond && PREFIXES.has(name) ? `${name} ` : "";
    const action = id && availableActions().get(id);
    if (!action) return;
    event.preventDefault();
    action.run();
  };
  addEventListener("keydown", onKeyDown);
  return () => removeEventListener("keydown", onKeyDown);
}

export const commandBarOpen = signal(false);
export const shortcutsOpen = signal(false);

/** Something that a page has to do when it is displayed next, such as open its dialog. */
const requested = signal<{ id: CommandId } | null>(null);

/** Asks the page that `useRequest`s it to do it, now or when it is displayed. */
export function requestAction(id: CommandId): void {
  requested.value = { id };
}

/** Does what was requested of the page. */
export function useRequest(id: CommandId, run: () => void): void {
  const request = requested.value;
  useLayoutEffect(() => {
    if (request?.id !== id) return;
    requested.value = null;
    run();
  }, [request]);
}
