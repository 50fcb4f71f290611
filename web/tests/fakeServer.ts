/**
 * A server for tests: takes the place of `fetch` and `XMLHttpRequest`, records requests and answers with what the test
 * has prepared.
 */
import { vi } from "vitest";

export interface RecordedRequest {
  method: string;
  url: URL;
  headers: Headers;
  body: unknown;
}

type Handler = (request: RecordedRequest) => Response | Promise<Response>;

export class FakeServer {
  readonly requests: RecordedRequest[] = [];
  private readonly handlers = new Map<string, Handler>();

  constructor() {
    const server = this;
    vi.stubGlobal(
      "XMLHttpRequest",
      class extends FakeXhr {
        override readonly server = server;
      },
    );
    vi.stubGlobal("fetch", (url: string | URL, init: RequestInit = {}) => this.handle(String(url), init));
  }

  /** Answers requests for a method and a path below /api/v1. */
  on(method: string, path: string, handler: Handler): void {
    this.handlers.set(`${method} /api/v1${path}`, handler);
  }

  to(method: string, path: string): RecordedRequest[] {
    return this.requests.filter(
      (request) => request.method === method && request.url.pathname === `/api/v1${path}`,
    );
  }

  async handle(address: string, init: RequestInit): Promise<Response> {
    const url = new URL(address, "http://parley.test");
    const method = init.method ?? "GET";
    const body = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    const request = { method, url, headers: new Headers(init.headers), body };
    this.requests.push(request);
    const handler = this.handlers.get(`${method} ${url.pathname}`);
    if (!handler) throw new TypeError(`no handler for ${method} ${url.pathname}`);
    return handler(request);
  }
}

/** What an upload uses of XMLHttpRequest. */
abstract class FakeXhr {
  abstract readonly server: FakeServer;
  readonly upload: { onprogress?: (event: object) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  responseText = "";
  private url = "";
  private method = "";
  private readonly headers = new Headers();
  private responseHeaders = new Headers();
  private isAborted = false;

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers.set(name, value);
  }

  getResponseHeader = (name: string): string | null => this.responseHeaders.get(name);

  abort(): void {
    this.isAborted = true;
    this.onabort?.();
    this.onloadend?.();
  }

  async send(body: FormData): Promise<void> {
    try {
      const response = await this.server.handle(this.url, {
        method: this.method,
        headers: this.headers,
        body,
      });
      this.status = response.status;
      this.responseHeaders = response.headers;
      this.responseText = await response.text();
      if (!this.isAborted) this.onload?.();
    } catch {
      if (!this.isAborted) this.onerror?.();
    }
    if (!this.isAborted) this.onloadend?.();
  }
}

export const json = (body: object, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ success: status < 400, ...body }), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });

export const failure = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  json({ code, error: `Refused: ${code}` }, status, headers);

export const networkError = (): never => {
  throw new TypeError("Failed to fetch");
};

/** An event stream that the test writes to and closes. */
export class FakeStream {
  readonly response: Response;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor() {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
    });
    this.response = new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  }

  write(text: string): void {
    this.controller?.enqueue(new TextEncoder().encode(text));
  }

  event(event: string, id: string, data: object = {}): void {
    this.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    this.controller?.close();
  }
}

/** Lets everything run that waits for promises only. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
