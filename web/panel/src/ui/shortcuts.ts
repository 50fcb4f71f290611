/** The keyboard: what each key does, where it does nothing, and how it is written in the help. */
import { letterKeys } from "../state/prefs";

export const SHORTCUTS: { title: string; keys: [string, string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      ["?", "Show this list"],
      ["g c", "Go to chats"],
      ["g v", "Go to visitors"],
      ["f", "Search the queue"],
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
      ["b", "Give back to the AI"],
      ["e", "Close the chat"],
      ["d", "Show or hide details"],
      ["l", "Show or hide translations"],
    ],
  },
  {
    title: "While writing",
    keys: [
      ["Enter", "Send"],
      ["Shift Enter", "New line"],
      ["/", "Canned replies"],
      ["Ctrl V", "Paste an image"],
      ["Esc", "Leave the text"],
    ],
  },
];

export type Keys = Record<string, () => void>;

const inText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);

/** Listens for keys outside of texts and dialogs. `Alt+…` works in texts, too. Gives the way to stop. */
export function onKeys(keys: Keys): () => void {
  let prefix = "";
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]"))
      return;
    if (!event.altKey && (inText(event.target) || !letterKeys.value)) return;
    const name = `${prefix}${event.altKey ? "Alt+" : ""}${event.key}`;
    prefix = !prefix && event.key === "g" ? "g " : "";
    const action = keys[name];
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
