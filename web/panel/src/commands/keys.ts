/** Names of keys: how an event is compared with a shortcut, and how a shortcut is shown. */

const isMac = (): boolean => /Mac|iP(hone|ad|od)/.test(navigator.platform);

/**
 * The name of what was pressed, as shortcuts write it: `a`, `?`, `Shift+l`, `Alt+ArrowDown`, `Mod+k`. Undefined for
 * what no shortcut uses. On a keyboard without Latin letters the key's place counts.
 */
export function nameOfKey(event: KeyboardEvent): string | undefined {
  const mod = isMac() ? event.metaKey : event.ctrlKey;
  if (isMac() ? event.ctrlKey : event.metaKey) return undefined;
  const isLatin = event.key.length > 1 || event.key.charCodeAt(0) < 128;
  const key = isLatin ? event.key : (/^Key([A-Z])$/.exec(event.code)?.[1] ?? event.key);
  const isLetter = /^[a-z]$/i.test(key);
  // Which character needs Shift depends on the keyboard's layout; only letters are the same everywhere.
  const shift = event.shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  return `${mod ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${shift}${isLetter ? key.toLowerCase() : key}`;
}

/** Whether a shortcut has a modifier with which nothing is typed. Only these work in text fields. */
export const worksWhileTyping = (keys: string): boolean => /^(Mod|Alt)\+/.test(keys);

const SYMBOLS: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };

/** The keys of a shortcut as they are shown, as in ["Ctrl", "K"] or ["g", "c"]. */
export function toKeyCaps(keys: string): string[] {
  return keys
    .split(" ")
    .flatMap((stroke) => stroke.split("+"))
    .map((key) => {
      if (key === "Mod") return isMac() ? "⌘" : "Ctrl";
      return SYMBOLS[key] ?? key;
    });
}
