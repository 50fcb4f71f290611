/** How the panel asks the backend: one function, with a deadline, the caller's token and errors that have names. */
import { session } from "./session";

const DEADLINE_MS = 20_000;
const UPLOAD_DEADLINE_MS = 90_000;

/** A refusal, as the backend words it. `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: Record<string, string> = {},
    readonly retryAfter: number | undefined = undefined,
  ) {
    super(message);
  }

  /** Whether the same request may do better later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  form?: FormData;
  query?: Record<string, string | number | boolean | undefined | null>;
  /** Repeating a POST with the same key has no second effect. */
  key?: string;
  /** Without a token: login and the like. */
  open?: boolean;
}

/** Asks, and gives the answer's body. Raises ApiError. */
export async function ask<T>(path: string, options: Options = {}): Promise<T> {
  const first = await send(path, options);
  if (first.status !== 401 || options.open) return read<T>(first);
  // The token may have been revoked or the clock may be off: one new token, one more try.
  await session.renew();
  return read<T>(await send(path, options));
}

async function send(path: string, options: Options): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (!options.open) headers.set("Authorization", `Bearer ${await session.token()}`);
  if (options.key) headers.set("Idempotency-Key", options.key);
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  const request: RequestInit = {
    method: options.method ?? (options.body !== undefined || options.form ? "POST" : "GET"),
    headers,
    signal: AbortSignal.timeout(options.form ? UPLOAD_DEADLINE_MS : DEADLINE_MS),
    credentials: "omit",
  };
  if (options.form) request.body = options.form;
  else if (options.body !== undefined) request.body = JSON.stringify(options.body);
  try {
    return await fetch(`/api/v1${path}${queryText(options.query)}`, request);
  } catch {
    throw new ApiError(0, "unreachable", "The server cannot be reached.");
  }
}

async function read<T>(response: Response): Promise<T> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    if (response.ok) throw new ApiError(0, "unreadable", "The server's answer was cut off.");
  }
  if (response.ok) return body as T;
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  throw new ApiError(
    response.status,
    String(body["code"] ?? "http_error"),
    String(body["error"] ?? `The server answered ${response.status}.`),
    (body["errors"] as Record<string, string> | undefined) ?? {},
    retryAfter,
  );
}

function queryText(query: Options["query"]): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `?${text}` : "";
}

/** What to tell the person about a failure. */
export function sentence(problem: unknown): string {
  if (!(problem instanceof ApiError)) return "Something went wrong here. Please try again.";
  const fields = Object.entries(problem.fields);
  if (fields.length === 0) return problem.message;
  return fields.map(([name, why]) => `${name.replaceAll("_", " ")}: ${why}`).join(" · ");
}
