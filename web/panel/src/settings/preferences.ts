/** An operator's preferences on this machine: theme, sounds, shortcuts. Stored in the browser. */
import { computed, effect, type Signal, signal } from "@preact/signals";
import { readJson, writeJson } from "../../../shared/storage";

/** A signal whose value survives a reload and is shared with the browser's other tabs. */
export function persistedSignal<T>(key: string, initial: T): Signal<T> {
  const name = `parley.${key}`;
  const value = signal<T>(readJson(name, initial));
  let isFirst = true;
  effect(() => {
    const current = value.value;
    if (!isFirst) writeJson(name, current);
    isFirst = false;
  });
  addEventListener("storage", (event) => {
    if (event.key === name) value.value = readJson(name, initial);
  });
  return value;
}

type Theme = "system" | "light" | "dark";

export const theme = persistedSignal<Theme>("theme", "system");
/** The panel's language, such as "de"; empty for the browser's. */
export const panelLanguage = persistedSignal("language", "");
export const soundEnabled = persistedSignal("sounds", true);
export const desktopNotifications = persistedSignal("desktop", false);
const wideDetailsOpen = persistedSignal("details", true);
const drawerOpen = signal(false);

/** As in styles/narrowChats.css: below this width the details cover the chat. */
const narrowScreen = matchMedia("(max-width: 1180px)");
const isNarrow = signal(narrowScreen.matches);
narrowScreen.addEventListener("change", () => {
  isNarrow.value = narrowScreen.matches;
});

/** Whether the details are open. On a narrow screen they cover the chat: there they are only when asked for. */
export const detailsOpen = computed(() => (isNarrow.value ? drawerOpen.value : wideDetailsOpen.value));

export function setDetailsOpen(open: boolean): void {
  if (isNarrow.value) drawerOpen.value = open;
  else wideDetailsOpen.value = open;
}

export function closeDrawer(): void {
  drawerOpen.value = false;
}

export const showTranslations = persistedSignal("translations", true);
/** They can be switched off because they get in the way of some screen readers and of voice control. */
export const singleKeyShortcuts = persistedSignal("letterKeys", true);

/** Whether earlier versions, which kept canned replies in the browser, have left some here. */
export const hasBrowserCannedReplies = readJson<unknown[]>("parley.canned", []).length > 0;

/** Canned replies of this browser, to be imported; null where there never were any. */
export const browserCannedReplies = persistedSignal<{ short: string; text: string }[] | null>("canned", null);

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
});
