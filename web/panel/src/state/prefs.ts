/** What one person likes on one machine: looks, sounds, canned replies. Kept in the browser. */
import { effect, type Signal, signal } from "@preact/signals";

/** A signal whose value outlives the page. */
export function kept<T>(key: string, initial: T): Signal<T> {
  const name = `parley.${key}`;
  const value = signal<T>(recall(name, initial));
  let first = true;
  effect(() => {
    const text = JSON.stringify(value.value);
    if (!first) store(name, text);
    first = false;
  });
  addEventListener("storage", (event) => {
    if (event.key === name) value.value = recall(name, initial);
  });
  return value;
}

function recall<T>(name: string, initial: T): T {
  try {
    const text = localStorage.getItem(name);
    return text === null ? initial : (JSON.parse(text) as T);
  } catch {
    return initial;
  }
}

function store(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Full or forbidden: the value then lives as long as the page.
  }
}

export type Theme = "system" | "light" | "dark";

export const theme = kept<Theme>("theme", "system");
export const sounds = kept("sounds", true);
export const desktop = kept("desktop", false);
export const detailsOpen = kept("details", true);
export const showTranslations = kept("translations", true);
/** Single letters as shortcuts get in the way of some screen readers and voice control. */
export const letterKeys = kept("letterKeys", true);

export interface Canned {
  short: string;
  text: string;
}

export const canned = kept<Canned[]>("canned", [
  { short: "hi", text: "Hi {name}, this is {me}. How can I help?" },
  { short: "moment", text: "One moment please, I am looking into it." },
  { short: "more", text: "Could you tell me a little more about it, perhaps with a screenshot?" },
  { short: "thanks", text: "Thank you for your patience, {name}." },
  { short: "bye", text: "Glad I could help. Have a good day!" },
]);

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});
