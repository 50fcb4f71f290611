/** Keyboard shortcuts: how they are bound, and the list that the help shows. */
import { singleKeyShortcuts } from "../settings/preferences";

export const SHORTCUTS: { title: string; keys: [keys: string, action: string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      ["?", "Show shortcuts"],
      ["g c", "Go to chats"],
      ["g v", "Go to visitors"],
      ["f", "Search chats"],
      ["1 2 3", "Waiting, mine, all"],
      ["j k", "Next, previous chat"],
      ["Alt ↓ ↑", "Next, previous chat while typing"],
    ],
  },
  {
    title: "In a chat",
    keys: [
      ["a", "Accept"],
      ["r", "Write a reply"],
      ["n", "Write a private note"],
      ["t", "Transfer"],
      ["b", "Hand back to AI"],
      ["e", "Close chat"],
      ["o", "Reopen a closed chat"],
      ["d", "Show or hide details"],
      ["l", "Show or hide translations"],
    ],
  },
  {
    title: "While typing",
    keys: [
      ["Enter", "Send"],
      ["Shift Enter", "New line"],
      ["/", "Canned replies"],
      ["Ctrl V", "Paste an image"],
      ["Esc", "Leave the text field"],
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
