/** The operator's live stream: resumed by id after every cut, with a state that says what is true. */
import { signal } from "@preact/signals";
import { backoff, type Frame, pause, readFrames } from "../../../shared/sse";
import type { LiveEvent } from "../../../shared/views";
import { LoggedOut, session } from "./session";

/** A keep-alive comes every 15 s; two missed ones and the line counts as dead. */
const SILENCE_MS = 40_000;

export type Line =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "waiting"; since: number; until: number; why: string };

export const line = signal<Line>({ state: "connecting" });

export interface Listener {
  /** The stream is open on these sites. `fresh` means that what is shown has to be fetched anew. */
  onReady(fresh: boolean, sites: number[]): void;
  onEvent(event: LiveEvent): void;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly afterMs: number,
  ) {
    super(`the stream was refused with ${status}`);
  }
}

/** Keeps the stream open until the returned function is called. */
export function follow(listener: Listener): () => void {
  const stop = new AbortController();
  void run(listener, stop.signal);
  return () => stop.abort();
}

async function run(listener: Listener, stopped: AbortSignal): Promise<void> {
  let lastId = "";
  let attempt = 0;
  let since = 0;
  let asked: number | undefined;
  let sites: number[] = [];
  line.value = { state: "connecting" };
  while (!stopped.aborted) {
    let why = "The connection was closed.";
    try {
      await connect(lastId, stopped, (frame) => {
        if (frame.retry !== undefined) asked = frame.retry;
        if (frame.event === "ready") {
          attempt = 0;
          since = 0;
          line.value = { state: "live" };
          sites = sitesOf(frame);
          listener.onReady(lastId === "", sites);
          lastId ||= frame.id ?? "";
        } else if (frame.event === "reset") {
          listener.onReady(true, sites);
        } else if (frame.data) {
          deliver(listener, frame);
        }
        if (frame.id) lastId = frame.id;
      });
    } catch (problem) {
      if (problem instanceof LoggedOut || stopped.aborted) return;
      why = reason(problem);
      if (problem instanceof Refused) asked = problem.afterMs || asked;
    }
    if (stopped.aborted) return;
    attempt += 1;
    since ||= Date.now();
    // The server asks for a spread-out return when it shuts down; that wish is good for the first try only.
    const wait = attempt === 1 && asked !== undefined ? Math.min(asked, 15_000) : backoff(attempt);
    asked = undefined;
    line.value = { state: "waiting", since, until: Date.now() + wait, why };
    await pause(wait, stopped);
  }
}

async function connect(lastId: string, stopped: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
  const headers: Record<string, string> = {
    Accept: "text/event-stream",
    Authorization: `Bearer ${await session.token()}`,
  };
  if (lastId) headers["Last-Event-ID"] = lastId;
  const attempt = new AbortController();
  const abort = () => attempt.abort();
  stopped.addEventListener("abort", abort);
  const slow = setTimeout(abort, 15_000);
  // A network that comes back often leaves the old connection hanging: begin anew at once.
  addEventListener("offline", abort);
  try {
    const response = await fetch("/api/v1/operator/stream", {
      headers,
      signal: attempt.signal,
      credentials: "omit",
      cache: "no-store",
    });
    clearTimeout(slow);
    if (response.status === 401) await session.renew();
    if (!response.ok || !response.body) {
      throw new Refused(response.status, 1000 * Number(response.headers.get("Retry-After") ?? 0));
    }
    await readFrames(response.body, onFrame, SILENCE_MS);
  } finally {
    clearTimeout(slow);
    attempt.abort();
    removeEventListener("offline", abort);
    stopped.removeEventListener("abort", abort);
  }
}

function deliver(listener: Listener, frame: Frame): void {
  try {
    listener.onEvent(JSON.parse(frame.data) as LiveEvent);
  } catch (problem) {
    // An event that this version cannot read must not end the stream for all others.
    if (!(problem instanceof SyntaxError) && !(problem instanceof TypeError)) throw problem;
  }
}

function sitesOf(frame: Frame): number[] {
  const ready = JSON.parse(frame.data || "{}") as { sites?: number[]; data?: { sites?: number[] } };
  return ready.data?.sites ?? ready.sites ?? [];
}

function reason(problem: unknown): string {
  if (!navigator.onLine) return "This device is offline.";
  if (problem instanceof Refused && problem.status === 429) return "Too many connections.";
  if (problem instanceof Refused) return `The server answered ${problem.status}.`;
  return "The server cannot be reached.";
}
