/** Keyboard shortcuts: how they are bound, and the list that the help shows. */
import type { TextKey } from "../i18n/i18n";
import { singleKeyShortcuts } from "../settings/preferences";

export const SHORTCUTS: { title: TextKey; keys: [keys: string, action: TextKey][] }[] = [
  {
    title: "shortcuts.anywhere",
    keys: [
      ["?", "shortcuts.help"],
      ["g c", "shortcuts.chats"],
      ["g v", "shortcuts.visitors"],
      ["f", "shortcuts.search"],
      ["1 2 3", "shortcuts.tabs"],
      ["j k", "shortcuts.nextPrevious"],
      ["Alt ↓ ↑", "shortcuts.nextPreviousTyping"],
    ],
  },
  {
    title: "shortcuts.inChat",
    keys: [
      ["a", "shortcuts.accept"],
      ["r", "shortcuts.reply"],
      ["n", "shortcuts.note"],
      ["t", "shortcuts.transfer"],
      ["b", "shortcuts.release"],
      ["e", "shortcuts.close"],
      ["o", "shortcuts.reopen"],
      ["d", "shortcuts.details"],
      ["l", "shortcuts.translations"],
    ],
  },
  {
    title: "shortcuts.typing",
    keys: [
      ["Enter", "shortcuts.send"],
      ["Shift Enter", "shortcuts.newLine"],
      ["/", "shortcuts.cannedReplies"],
      ["Ctrl V", "shortcuts.paste"],
      ["Esc", "shortcuts.leave"],
    ],
  },
];

export const isTextField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);

/**
 * Binds keys to actions; "g c" is g followed by c. Keys are ignored in dialogs, and in text fields unless they start
 * with "Alt+". Returns a function that unbinds them.
 */
export function bindKeys(actions: Record<string, () => void>): () => void {
  let prefix = "";
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]"))
      return;
    if (!event.altKey && (isTextField(event.target) || (!singleKeyShortcuts.value && event.key !== "Escape")))
      return;
    const name = `${prefix}${event.altKey ? "Alt+" : ""}${event.key}`;
    prefix = !prefix && event.key === "g" ? "g " : "";
    const action = actions[name];
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener("keydown", onKeyDown);
  return () => removeEventListener("keydown", onKeyDown);
}
