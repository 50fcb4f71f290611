/** Every tab of the panel receives every event; only one of them notifies the operator of it. */
import { readJson, writeJson } from "../../../shared/storage";

const STORAGE_KEY = "parley.notified";
const MAX_CLAIMS = 50;
/** How long a tab waits, so that a tab with a higher priority can claim the event first. */
const DELAYS_MS = { viewing: 0, focused: 40, visible: 150, hidden: 300 } as const;

type TabPriority = keyof typeof DELAYS_MS;

/** Resolves with whether this tab is the one that handles `what`. The tab with the highest priority wins. */
export async function claim(what: string, priority: TabPriority): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, DELAYS_MS[priority]));
  const add = async () => {
    const claimed = readJson<string[]>(STORAGE_KEY, []);
    if (claimed.includes(what)) return false;
    writeJson(STORAGE_KEY, [...claimed.slice(1 - MAX_CLAIMS), what]);
    return true;
  };
  return navigator.locks ? await navigator.locks.request(STORAGE_KEY, add) : add();
}
