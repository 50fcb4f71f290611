/** Typed requests to the API, with the operator's token: `api.get("/sites/{site_id}", { path: { site_id: 1 } })`. */

import type {
  FileAttachment,
  Method,
  PathParameters,
  PathWith,
  QueryParameters,
  RequestBody,
  ResponseBody,
} from "../../../shared/apiTypes";
import {
  ApiError,
  ensureOk,
  jsonRequest,
  REQUEST_TIMEOUT_MS,
  readBody,
  send,
  toQueryString,
  UPLOAD_TIMEOUT_MS,
} from "../../../shared/http";
import { type UploadOptions, uploadForm } from "../../../shared/upload";
import { t } from "../i18n/i18n";
import { session } from "../session/session";
import { describeError, describeFieldError } from "./errorTexts";

interface CommonOptions<M extends Method, P extends PathWith<M>> {
  query?: QueryParameters<M, P>;
  /** A POST repeated with the same key has no second effect. */
  idempotencyKey?: string;
  /** Without a token: login and invitation. */
  anonymous?: boolean;
  /** For an endpoint that takes longer than others. */
  timeoutMs?: number;
}

type PathOption<M extends Method, P extends PathWith<M>> = [PathParameters<M, P>] extends [never]
  ? unknown
  : { path: PathParameters<M, P> };

type BodyOption<M extends Method, P extends PathWith<M>> = [RequestBody<M, P>] extends [never]
  ? unknown
  : { body: RequestBody<M, P> };

type Options<M extends Method, P extends PathWith<M>> = CommonOptions<M, P> &
  PathOption<M, P> &
  BodyOption<M, P>;

/** The options are optional when the path needs no parameters and the request no body. */
type Arguments<M extends Method, P extends PathWith<M>> =
  Record<never, never> extends Options<M, P> ? [options?: Options<M, P>] : [options: Options<M, P>];

/** Sends a request and returns the response's body. Throws ApiError, or LoggedOut when the session has ended. */
type Request<M extends Method> = <P extends PathWith<M>>(
  path: P,
  ...options: Arguments<M, P>
) => Promise<ResponseBody<M, P>>;

interface AnyOptions {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  idempotencyKey?: string;
  anonymous?: boolean;
  timeoutMs?: number;
}

const method =
  <M extends Method>(name: M): Request<M> =>
  (path, ...[options = {}]) => {
    const {
      path: parameters = {},
      query,
      body,
      idempotencyKey,
      anonymous,
      timeoutMs,
    } = options as AnyOptions;
    const url = `/api/v1${fillPath(path, parameters)}${toQueryString(query)}`;
    const init = body === undefined ? { headers: new Headers() } : jsonRequest(name, body);
    if (idempotencyKey) init.headers.set("Idempotency-Key", idempotencyKey);
    return request(
      url,
      { ...init, method: name.toUpperCase() },
      init.headers,
      timeoutMs ?? REQUEST_TIMEOUT_MS,
      anonymous,
    );
  };

export const api = {
  get: method("get"),
  post: method("post"),
  put: method("put"),
  delete: method("delete"),

  /** Fetches a file. */
  async download<P extends PathWith<"get">>(
    path: P,
    query: QueryParameters<"get", P>,
    parameters: Record<string, unknown> = {},
  ): Promise<Blob> {
    const url = `/api/v1${fillPath(path, parameters)}${toQueryString(query as Record<string, unknown>)}`;
    const response = await authorized(url, { method: "GET" }, new Headers(), UPLOAD_TIMEOUT_MS);
    return (await ensureOk(response)).blob();
  },

  /** Uploads an image for a message. Returns its URL. */
  async uploadImage(file: File, options?: UploadOptions): Promise<string> {
    const form = new FormData();
    form.set("image", file);
    const path = "/operator/upload-image" satisfies PathWith<"post">;
    return (await upload<ResponseBody<"post", typeof path>>(`/api/v1${path}`, form, options)).url;
  },

  /** Uploads a file into a source of a site's knowledge. */
  async uploadKnowledge(file: File, path: { site_id: number; source_id: number }): Promise<void> {
    const form = new FormData();
    form.set("file", file);
    const template = "/sites/{site_id}/knowledge/sources/{source_id}/upload-file" satisfies PathWith<"post">;
    const init = { method: "POST", body: form };
    await request(`/api/v1${fillPath(template, path)}`, init, new Headers(), UPLOAD_TIMEOUT_MS);
  },

  /** Uploads a file for a message on a site. `seconds` of a recording. */
  async uploadFile(
    file: File,
    siteId: number | null,
    options?: UploadOptions & { seconds?: number | undefined },
  ): Promise<FileAttachment> {
    const form = new FormData();
    if (options?.seconds !== undefined) form.set("duration", String(options.seconds));
    form.set("file", file);
    const path = "/operator/upload-file" satisfies PathWith<"post">;
    const url = `/api/v1${path}${toQueryString({ site_id: siteId })}`;
    return (await upload<ResponseBody<"post", typeof path>>(url, form, options)).file;
  },
};

async function upload<T>(
  url: string,
  form: FormData,
  options: UploadOptions = { onProgress: () => undefined, signal: new AbortController().signal },
): Promise<T> {
  const attempt = async () =>
    uploadForm<T>(url, form, { Authorization: `Bearer ${await session.token()}` }, options);
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    await session.refresh();
    return attempt();
  }
}

async function request<T>(
  url: string,
  init: RequestInit,
  headers: Headers,
  timeoutMs: number,
  anonymous = false,
): Promise<T> {
  headers.set("Accept", "application/json");
  if (anonymous) return readBody<T>(await send(url, { ...init, headers }, timeoutMs));
  return readBody<T>(await authorized(url, init, headers, timeoutMs));
}

async function authorized(
  url: string,
  init: RequestInit,
  headers: Headers,
  timeoutMs: number,
): Promise<Response> {
  headers.set("Authorization", `Bearer ${await session.token()}`);
  const response = await send(url, { ...init, headers }, timeoutMs);
  if (response.status !== 401) return response;
  // The token was revoked, or this machine's clock is wrong: try once more with a new one.
  await session.refresh();
  headers.set("Authorization", `Bearer ${await session.token()}`);
  return send(url, { ...init, headers }, timeoutMs);
}

const fillPath = (path: string, parameters: Record<string, unknown>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parameters[name])));

/** A failure as a sentence for the operator. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof ApiError)) return t("errors.unexpected");
  const fields = Object.entries(error.body.errors ?? {});
  if (fields.length === 0) return describeError(error);
  return fields
    .map(([name, message]) => `${name.replaceAll("_", " ")}: ${describeFieldError(message)}`)
    .join(" · ");
}
