/** What panel and widget share of an HTTP request: a timeout, and errors with a status and a code. */

export const REQUEST_TIMEOUT_MS = 20_000;
export const UPLOAD_TIMEOUT_MS = 90_000;

/** The code of a failure whose body is not one of Parley's, such as a proxy's. */
const UNKNOWN_CODE = "http_error";

interface ErrorBody {
  code?: string;
  error?: string;
  errors?: Record<string, string> | null;
  conversation_id?: number;
  max_bytes?: number;
  teams?: { id: number; name: string }[];
}

/** A failed request. `status` is 0 when no response arrived; `message` is the server's own text for people, or a word for developers. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** The response's body: `errors` says what is wrong with a field, others what is in the way. */
    readonly body: ErrorBody = {},
    readonly retryAfterSeconds = 0,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Whether an error's message comes from the server and is not a default. */
export const hasServerText = ({ status, code }: ApiError): boolean => status > 0 && code !== UNKNOWN_CODE;

/** Sends a request. Throws ApiError when no response arrives in time; any status that does arrive is returned. */
export async function send(url: string, init: RequestInit, timeoutMs?: number): Promise<Response> {
  try {
    const signal = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
    return await fetch(url, { credentials: "omit", signal, ...init });
  } catch {
    throw new ApiError(0, "unreachable", "unreachable");
  }
}

/** Returns a response that succeeded. Throws ApiError for every other. */
export async function ensureOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  throw new ApiError(
    response.status,
    body.code ?? UNKNOWN_CODE,
    body.error ?? `HTTP ${response.status}`,
    body,
    Number(response.headers.get("Retry-After")) || 0,
  );
}

/** The JSON body of a response that succeeded. Throws ApiError when it is incomplete. */
export async function readBody<T>(response: Response): Promise<T> {
  await ensureOk(response);
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(0, "unreadable", "unreadable");
  }
}

/** The init of a POST, PUT, PATCH or DELETE with a JSON body. */
export function jsonRequest(
  method: string,
  body: unknown,
): { method: string; headers: Headers; body: string } {
  return { method, headers: new Headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) };
}

/** `?a=1&b=2`, without the parameters that have no value. Empty when none has one. */
export function toQueryString(query: object = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}
