/** Uploads images and files. Loaded when the visitor sends the first one. */
import type { FileAttachment, ResponseBody } from "../../../shared/apiTypes";
import { formatBytes } from "../../../shared/fileCard";
import { ApiError } from "../../../shared/http";
import { sleep } from "../../../shared/retry";
import { isCancelled, type UploadOptions, uploadForm } from "../../../shared/upload";
import type { WidgetApi } from "../api/widgetApi";
import { format, locale } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";
import { isBusy } from "./outbox";

/** How often an upload that the server has no room for is tried. */
const MAX_ATTEMPTS = 4;
const MAX_DELAY_SECONDS = 60;

export async function sendImage(store: WidgetStore, api: WidgetApi, file: File): Promise<void> {
  await runUpload(store, file, undefined, async (options) => {
    const url = await retryWhenBusy(store, options.signal, () => uploadImage(api, file, options));
    if (!options.signal.aborted) store.sendMessage("", url);
  });
}

/** Uploads a file and sends it. `seconds` of a recording. */
export async function sendFile(
  store: WidgetStore,
  api: WidgetApi,
  file: File,
  seconds?: number,
): Promise<void> {
  const { files } = store.config.value ?? {};
  if (files && file.size > files.max_bytes) {
    const size = formatBytes(files.max_bytes, locale.language);
    store.error.value = format(strings.fileTooLarge, { size });
    return;
  }
  await runUpload(store, file, seconds, async (options) => {
    const uploaded = await retryWhenBusy(store, options.signal, () =>
      uploadFile(api, file, seconds, options),
    );
    if (!options.signal.aborted) store.sendMessage("", "", uploaded);
  });
}

/** Uploads an image for a message. Returns its URL. */
async function uploadImage(api: WidgetApi, file: File, options: UploadOptions): Promise<string> {
  const form = api.createForm();
  form.set("image", file);
  const url = api.url("/chat/upload-image");
  return (await uploadForm<ResponseBody<"post", "/chat/upload-image">>(url, form, {}, options)).url;
}

async function uploadFile(
  api: WidgetApi,
  file: File,
  seconds: number | undefined,
  options: UploadOptions,
): Promise<FileAttachment> {
  const form = api.createForm();
  if (seconds !== undefined) form.set("duration", String(seconds));
  form.set("file", file);
  const url = api.url("/chat/upload-file");
  return (await uploadForm<ResponseBody<"post", "/chat/upload-file">>(url, form, {}, options)).file;
}

async function runUpload(
  store: WidgetStore,
  file: File,
  seconds: number | undefined,
  work: (options: UploadOptions) => Promise<void>,
): Promise<void> {
  store.dismissError();
  const controller = new AbortController();
  const upload = { name: file.name, progress: 0, cancel: () => controller.abort() };
  store.uploading.value = upload;
  const onProgress = (progress: number) => {
    store.uploading.value = { ...upload, progress };
  };
  try {
    await work({ onProgress, signal: controller.signal });
  } catch (error) {
    if (isCancelled(error)) return;
    store.error.value = errorText(error, file);
    // What the server refuses, it refuses again.
    if (!(error instanceof ApiError) || error.isRetryable) store.failedUpload.value = { file, seconds };
    throw error;
  } finally {
    store.uploading.value = null;
  }
}

/** Uploads something. When the server has no room for it at the moment, tries again when it says so. */
async function retryWhenBusy<T>(
  store: WidgetStore,
  cancelled: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiError) || !isBusy(error) || count >= MAX_ATTEMPTS) throw error;
      const seconds = Math.min(error.retryAfterSeconds || count, MAX_DELAY_SECONDS);
      store.error.value = strings.uploadBusy;
      await sleep(1000 * seconds, cancelled);
      store.error.value = "";
    }
  }
}

/** Why an upload failed, in the visitor's language: the server's texts are in English. */
function errorText(error: unknown, file: File): string {
  const isImage = file.type.startsWith("image/");
  const failed = isImage ? strings.uploadFailed : strings.fileFailed;
  if (!(error instanceof ApiError)) return failed;
  if (error.status === 413) {
    const size = formatBytes(error.body.max_bytes ?? 0, locale.language);
    return isImage ? strings.imageTooLarge : format(strings.fileTooLarge, { size });
  }
  if (error.status === 415 || error.status === 422)
    return isImage ? strings.imageUnsupported : strings.fileUnsupported;
  return isBusy(error) ? strings.uploadBusy : failed;
}
