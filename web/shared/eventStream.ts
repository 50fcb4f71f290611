/** A live stream that reconnects by itself and resumes after the last event it received (Last-Event-ID). */
import { ApiError, ensureOk, toQueryString } from "./http";
import { backoffDelay, sleep } from "./retry";
import { readEvents, type SseEvent } from "./sse";

/** The server sends a keep-alive every 15 s; two missed ones and the connection counts as dead. */
const IDLE_TIMEOUT_MS = 40_000;
const CONNECT_TIMEOUT_MS = 15_000;
const MAX_SERVER_DELAY_MS = 15_000;

export type ConnectionState =
  | { state: "connecting" }
  | { state: "live" }
  /** `since`: when the connection was lost; `until`: when the next attempt starts. Both in epoch milliseconds. */
  | { state: "waiting"; since: number; until: number; error: unknown };

export interface EventStreamOptions {
  /** Where to continue; everything is fetched when it is missing. */
  lastEventId?: string;
  /** Sends the request. `lastEventId` is empty until an event has been received. */
  connect(lastEventId: string, signal: AbortSignal): Promise<Response>;
  /** The stream is open. `resumed` is false when everything shown has to be fetched again. */
  onReady(event: SseEvent, resumed: boolean): void;
  /** The server cannot replay what was missed: everything shown has to be fetched again. */
  onReset(event: SseEvent): void;
  onEvent(event: SseEvent): void;
  onState(state: ConnectionState): void;
  /** Whether an error ends the stream for good. */
  isFatal(error: unknown): boolean;
}

/** Opens the stream. Returns a function that closes it. */
export function openEventStream(options: EventStreamOptions): () => void {
  const stop = new AbortController();
  void run(options, stop.signal);
  return () => stop.abort();
}

async function run(options: EventStreamOptions, stopped: AbortSignal): Promise<void> {
  let lastEventId = options.lastEventId ?? "";
  let attempt = 0;
  let since = 0;
  let serverDelayMs: number | undefined;
  options.onState({ state: "connecting" });
  while (!stopped.aborted) {
    let error: unknown;
    try {
      await readConnection(options, lastEventId, stopped, (event) => {
        serverDelayMs = event.retry ?? serverDelayMs;
        if (event.event === "ready") {
          attempt = 0;
          since = 0;
          options.onState({ state: "live" });
          options.onReady(event, lastEventId !== "");
        } else if (event.event === "reset") {
          options.onReset(event);
        } else if (event.data) {
          options.onEvent(event);
        }
        lastEventId = event.id || lastEventId;
      });
    } catch (caught) {
      if (stopped.aborted) return;
      error = caught;
      if (caught instanceof ApiError && caught.retryAfterSeconds) {
        serverDelayMs = 1000 * caught.retryAfterSeconds;
      }
    }
    if (stopped.aborted) return;
    attempt += 1;
    since ||= Date.now();
    // A server that shuts down spreads its clients by `retry`; that holds for the first attempt only.
    const delay =
      attempt === 1 && serverDelayMs !== undefined
        ? Math.min(serverDelayMs, MAX_SERVER_DELAY_MS)
        : backoffDelay(attempt);
    serverDelayMs = undefined;
    options.onState({ state: "waiting", since, until: Date.now() + delay, error });
    if (options.isFatal(error)) return;
    await sleep(delay, stopped);
  }
}

async function readConnection(
  options: EventStreamOptions,
  lastEventId: string,
  stopped: AbortSignal,
  onEvent: (event: SseEvent) => void,
): Promise<void> {
  const connection = new AbortController();
  const abort = () => connection.abort();
  stopped.addEventListener("abort", abort);
  // A connection often hangs after the network was away: a new one is opened immediately.
  addEventListener("offline", abort);
  const timer = setTimeout(abort, CONNECT_TIMEOUT_MS);
  try {
    const response = await ensureOk(await options.connect(lastEventId, connection.signal));
    clearTimeout(timer);
    if (response.body) await readEvents(response.body, onEvent, IDLE_TIMEOUT_MS);
  } finally {
    clearTimeout(timer);
    connection.abort();
    stopped.removeEventListener("abort", abort);
    removeEventListener("offline", abort);
  }
}

/** Fetches a stream's URL. A stream has no timeout of its own and must not be cached. */
export function fetchStream(
  url: string,
  query: object,
  headers: HeadersInit,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url}${toQueryString(query)}`, { headers, signal, credentials: "omit", cache: "no-store" });
}
