/** The widget's requests. Each one carries the site's key and the visitor's session. */
import type { PathWith, ResponseBody, VisitorQuery, VisitorRequest } from "../../../shared/apiTypes";
import {
  ensureOk,
  jsonRequest,
  REQUEST_TIMEOUT_MS,
  readBody,
  send,
  toQueryString,
} from "../../../shared/http";
import { readEvents, type SseEvent } from "../../../shared/sse";
import { type EmbedConfig, SESSION_HEADER } from "../embedConfig";

type VisitorPath = `/chat/${string}`;

/** An AI reply that pauses for longer than this has ended. */
const REPLY_IDLE_TIMEOUT_MS = 90_000;

/** One event of an AI reply's stream. */
export interface ReplyEvent {
  type?: string;
  content?: string;
  meta?: { conversation_id: number; mode: "ai" | "pending" | "operator" | "closed"; answer_id?: number };
}

export class WidgetApi {
  private readonly credentials: { site_key: string; session_id: string };

  constructor(private readonly config: EmbedConfig) {
    this.credentials = { site_key: config.siteKey, session_id: config.sessionId };
  }

  async get<P extends PathWith<"get"> & VisitorPath>(
    path: P,
    query: VisitorQuery<P>,
  ): Promise<ResponseBody<"get", P>> {
    return readBody(await this.fetch(path, query));
  }

  /** The response to a GET, whatever its status and media type. */
  fetch(path: VisitorPath, query: object): Promise<Response> {
    const url = this.url(path) + toQueryString({ site_key: this.config.siteKey, ...query });
    return send(url, { headers: { [SESSION_HEADER]: this.config.sessionId } }, REQUEST_TIMEOUT_MS);
  }

  async post<P extends PathWith<"post"> & VisitorPath>(
    path: P,
    body: VisitorRequest<P>,
  ): Promise<ResponseBody<"post", P>> {
    return readBody(await this.sendPost(path, body, REQUEST_TIMEOUT_MS));
  }

  /** A form with the site's key and the session. */
  createForm(): FormData {
    const form = new FormData();
    for (const [name, value] of Object.entries(this.credentials)) form.set(name, value);
    return form;
  }

  /**
   * Sends a message. Resolves when the server has stored it; the AI's reply then arrives through `onEvent` until
   * `onEnd`. Sending again with the same `message_id` is safe at any time.
   */
  async sendMessage(
    body: VisitorRequest<"/chat/stream">,
    onEvent: (event: ReplyEvent) => void,
    onEnd: () => void,
  ): Promise<void> {
    const response = await ensureOk(await this.sendPost("/chat/stream", body, undefined));
    const onSseEvent = ({ data }: SseEvent) => onEvent(JSON.parse(data));
    const finished = response.body
      ? readEvents(response.body, onSseEvent, REPLY_IDLE_TIMEOUT_MS)
      : Promise.resolve();
    void finished.then(onEnd, onEnd);
  }

  private sendPost(path: string, body: object, timeoutMs: number | undefined): Promise<Response> {
    return send(this.url(path), jsonRequest("POST", { ...this.credentials, ...body }), timeoutMs);
  }

  url(path: string): string {
    return `${this.config.origin}/api/v1${path}`;
  }
}
