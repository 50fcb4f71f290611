/** Uploads with progress. `fetch` does not say how much of a body has been sent. */
import { ApiError, ensureOk, readBody } from "./http";

export interface UploadOptions {
  /** Called with the share that has been sent, from 0 to 1. */
  onProgress(share: number): void;
  signal: AbortSignal;
}

/** Without progress for this long, an upload has failed. */
const STALLED_MS = 60_000;
const CANCELLED_CODE = "cancelled";

export const isCancelled = (error: unknown): boolean =>
  error instanceof ApiError && error.code === CANCELLED_CODE;

/** Sends a form. Throws ApiError, also when it was cancelled. */
export async function uploadForm<T>(
  url: string,
  form: FormData,
  headers: Record<string, string>,
  options: UploadOptions,
): Promise<T> {
  return readBody<T>(await ensureOk(await sendForm(url, form, headers, options)));
}

function sendForm(
  url: string,
  form: FormData,
  headers: Record<string, string>,
  { onProgress, signal }: UploadOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let stalled: ReturnType<typeof setTimeout> | undefined;
    const watch = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_MS);
    };
    const fail = () =>
      reject(
        signal.aborted
          ? new ApiError(0, CANCELLED_CODE, "Cancelled.")
          : new ApiError(0, "unreachable", "Cannot reach the server."),
      );
    request.open("POST", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      watch();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      const retryAfter = request.getResponseHeader("Retry-After");
      const init = { status: request.status, ...(retryAfter && { headers: { "Retry-After": retryAfter } }) };
      resolve(new Response(request.responseText || null, init));
    };
    request.onerror = request.onabort = fail;
    request.onloadend = () => clearTimeout(stalled);
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) {
      fail();
      return;
    }
    watch();
    request.send(form);
  });
}
