/**
 * Waits for an operator who writes first. While the visitor is on the page, one event stream stays open, which is idle:
 * a page at rest sends no requests for it, and the message is there immediately.
 */
import type { Message } from "../../../shared/apiTypes";
import { type EventStreamOptions, openEventStream } from "../../../shared/eventStream";
import { REQUEST_TIMEOUT_MS, readBody, send } from "../../../shared/http";
import { visitorStream } from "../api/visitorStream";
import { type EmbedConfig, SESSION_HEADER } from "../embedConfig";

/** Who leaves the page sooner opens no stream. Spread, so that many pages that open at the same time do not ask at the same time. */
const MIN_DELAY_MS = 1500;
const DELAY_SPREAD_MS = 2500;
const CHECK_INTERVAL_MS = 2000;
const IDLE_MS = 120_000;

interface FirstMessageOptions {
  /** The session may change. */
  embed(): EmbedConfig;
  stopped: AbortSignal;
  /** Whether operators' messages arrive in another way. */
  hasChat(): boolean;
  onMessages(messages: readonly Message[]): void;
}

export function watchFirstMessage({ embed, stopped, hasChat, onMessages }: FirstMessageOptions): void {
  let lastActivity = Date.now();
  /** The session whose stream is open, or about to be. */
  let watched = "";
  let close = (): void => undefined;

  const ask = async () => {
    const { origin, siteKey, sessionId } = embed();
    try {
      const url = `${origin}/api/v1/chat/pending-proactive?site_key=${siteKey}`;
      const init = { headers: { [SESSION_HEADER]: sessionId } };
      const { messages } = await readBody<{ messages: Message[] }>(await send(url, init, REQUEST_TIMEOUT_MS));
      if (messages.length && embed().sessionId === sessionId) onMessages(messages);
    } catch {
      // Asked again when the stream is opened again, and with the next message.
    }
  };

  const open = (): (() => void) => {
    const options: EventStreamOptions = {
      ...visitorStream(embed()),
      onReady: (_event, isResumed) => {
        if (!isResumed) void ask();
      },
      onReset: () => void ask(),
      onEvent: ({ event }) => {
        if (event === "message.created") void ask();
      },
      onState: () => undefined,
    };
    let closeStream = (): void => undefined;
    const timer = setTimeout(
      () => {
        closeStream = openEventStream(options);
      },
      MIN_DELAY_MS + Math.random() * DELAY_SPREAD_MS,
    );
    return () => {
      clearTimeout(timer);
      closeStream();
    };
  };

  const update = () => {
    const isPresent =
      !stopped.aborted && document.visibilityState === "visible" && Date.now() - lastActivity < IDLE_MS;
    const session = isPresent && !hasChat() ? embed().sessionId : "";
    if (session === watched) return;
    watched = session;
    close();
    close = session ? open() : () => undefined;
  };

  for (const type of ["pointermove", "keydown", "scroll"]) {
    addEventListener(type, () => (lastActivity = Date.now()), {
      passive: true,
      capture: true,
      signal: stopped,
    });
  }
  document.addEventListener("visibilitychange", update, { signal: stopped });
  const check = setInterval(update, CHECK_INTERVAL_MS);
  stopped.addEventListener("abort", () => {
    clearInterval(check);
    update();
  });
  update();
}
