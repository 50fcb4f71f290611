/** Loads the chat window's script; tries again until it is there. */
import { backoffDelay, sleep } from "../../../shared/retry";
import type { ChatModule } from "./chatInterface";

/** The file name of the chat window that belongs to this launcher. The build sets it. */
declare const CHAT_FILE: string;

/** For a visitor who has nothing to look at; on a slow line the browser goes on loading. */
const TIMEOUT_MS = 20_000;

let loading: Promise<ChatModule> | undefined;

/** Resolves with the chat window's script. `onFailure` is called after each attempt that failed. */
export function loadChat(origin: string, onFailure: () => void): Promise<ChatModule> {
  loading ??= load(origin, onFailure);
  return loading;
}

async function load(origin: string, onFailure: () => void): Promise<ChatModule> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await importWithin(chatUrl(origin, attempt), TIMEOUT_MS);
    } catch {
      onFailure();
      await sleep(backoffDelay(attempt));
    }
  }
}

/**
 * The first attempt is for the file that never changes. After an update it is gone, so later ones alternate with the
 * current one; each has an address of its own because browsers remember that a module could not be loaded.
 */
function chatUrl(origin: string, attempt: number): string {
  if (attempt === 1) return `${origin}/widget/${CHAT_FILE}`;
  return `${origin}/widget/${attempt % 2 ? CHAT_FILE : "chat.js"}?attempt=${attempt}`;
}

function importWithin(url: string, ms: number): Promise<ChatModule> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, ms);
    (import(/* @vite-ignore */ url) as Promise<ChatModule>).then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
