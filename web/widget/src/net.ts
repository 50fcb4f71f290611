/** How the widget talks to the server: plain questions, answers that stream, and the live line. */
import { backoff, type Frame, pause, readFrames } from "../../shared/sse";
import type { Place } from "./place";

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }

  /** Whether the same request may do better later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export class Net {
  constructor(private readonly place: Place) {}

  get<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
    return this.ask(`${this.address(path)}?${this.marks(query)}`, {}).then(
      (answer) => answer.json() as Promise<T>,
    );
  }

  async post<T>(path: string, body: Record<string, unknown> = {}): Promise<T> {
    const answer = await this.postFor(path, body, 15_000);
    return answer.json() as Promise<T>;
  }

  async upload(file: File): Promise<string> {
    const form = new FormData();
    form.set("site_key", this.place.siteKey);
    form.set("session_id", this.place.session);
    form.set("image", file);
    const answer = await this.ask(this.address("upload-image"), { method: "POST", body: form }, 90_000);
    return ((await answer.json()) as { url: string }).url;
  }

  /**
   * Says something. Resolves once the server has it; the answer's pieces go on coming to `onPart`.
   * Saying it again with the same id is safe at any moment.
   */
  async say(
    body: Record<string, unknown>,
    onPart: (part: Record<string, unknown>) => void,
    onEnd: () => void,
  ) {
    const answer = await this.postFor("stream", body, 0);
    const reading = answer.body
      ? readFrames(answer.body, (frame) => onPart(JSON.parse(frame.data)), 90_000)
      : null;
    void Promise.resolve(reading).then(onEnd, onEnd);
  }

  /** Keeps the live line open until stopped. `onOpen` is told whether anything may have been missed. */
  follow(onFrame: (frame: Frame) => void, onOpen: () => void, onState: (live: boolean) => void): () => void {
    const stop = new AbortController();
    void this.run(stop.signal, onFrame, onOpen, onState);
    return () => stop.abort();
  }

  private async run(
    stopped: AbortSignal,
    onFrame: (frame: Frame) => void,
    onOpen: () => void,
    onState: (live: boolean) => void,
  ): Promise<void> {
    let lastId = "";
    let attempt = 0;
    let asked: number | undefined;
    while (!stopped.aborted) {
      const one = new AbortController();
      const abort = () => one.abort();
      stopped.addEventListener("abort", abort);
      addEventListener("offline", abort);
      try {
        const query = this.marks(lastId ? { last_event_id: lastId } : {});
        const response = await fetch(`${this.address("events")}?${query}`, {
          signal: one.signal,
          credentials: "omit",
          cache: "no-store",
        });
        if (!response.ok || !response.body) {
          // The site is gone, or does not allow this page: asking on would not help.
          if (response.status === 403 || response.status === 404) return onState(false);
          throw new Error(String(response.status));
        }
        await readFrames(
          response.body,
          (frame) => {
            asked = frame.retry ?? asked;
            if (frame.event === "ready") {
              attempt = 0;
              onState(true);
              if (!lastId) onOpen();
            } else if (frame.event === "reset") onOpen();
            else if (frame.data) onFrame(frame);
            lastId = frame.id ?? lastId;
          },
          40_000,
        );
      } catch {
        // Cut: tried again below.
      } finally {
        one.abort();
        stopped.removeEventListener("abort", abort);
        removeEventListener("offline", abort);
      }
      if (stopped.aborted) return;
      onState(false);
      attempt += 1;
      const wait = attempt === 1 && asked !== undefined ? Math.min(asked, 15_000) : backoff(attempt);
      asked = undefined;
      await pause(wait, stopped);
    }
  }

  private postFor(path: string, body: Record<string, unknown>, deadline: number): Promise<Response> {
    const marks = { site_key: this.place.siteKey, session_id: this.place.session };
    return this.ask(
      this.address(path),
      {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...marks, ...body }),
      },
      deadline,
    );
  }

  private async ask(address: string, request: RequestInit, deadline = 15_000): Promise<Response> {
    let answer: Response;
    try {
      const signal = deadline ? AbortSignal.timeout(deadline) : null;
      answer = await fetch(address, { credentials: "omit", signal, ...request });
    } catch {
      throw new Refused(0, "unreachable", "", 0);
    }
    if (answer.ok) return answer;
    const body = (await answer.json().catch(() => ({}))) as { code?: string; error?: string };
    const after = Number(answer.headers.get("Retry-After")) || 0;
    throw new Refused(answer.status, body.code ?? "", body.error ?? "", after);
  }

  private address(path: string): string {
    return `${this.place.base}/api/v1/chat/${path}`;
  }

  private marks(query: Record<string, string | number>): string {
    const marks = new URLSearchParams({ site_key: this.place.siteKey, session_id: this.place.session });
    for (const [name, value] of Object.entries(query)) marks.set(name, String(value));
    return marks.toString();
  }
}
