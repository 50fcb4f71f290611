/** What is attached to a reply: uploads an image or a file with progress, and shows it until it is sent. */
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import type { FileAttachment } from "../../../shared/apiTypes";
import { MessageImage } from "../../../shared/components";
import type { Recording } from "../../../shared/recorder";
import { isCancelled } from "../../../shared/upload";
import { type RecordingFailure, VoiceNote } from "../../../shared/voiceNote";
import { api, errorMessage } from "../api/client";
import { IconButton } from "../components/controls";
import { Icon } from "../components/icon";
import { showToast } from "../components/toasts";
import { type Draft, setDraft } from "../composer/drafts";
import { t } from "../i18n/i18n";
import { PanelFile } from "./panelFile";

/** An upload in progress, or one that has failed (`error`). */
export interface Upload {
  file: File;
  seconds: number | undefined;
  /** The share that has been sent, from 0 to 1. */
  progress: number;
  error: string;
  cancel(): void;
}

/** The upload of a conversation's composer, and how to start one. */
export function useUpload(conversation: number, siteId: number) {
  const upload = useSignal<Upload | null>(null);
  const start = async (file: File, seconds?: number) => {
    upload.value?.cancel();
    const controller = new AbortController();
    const state: Upload = { file, seconds, progress: 0, error: "", cancel: () => controller.abort() };
    upload.value = state;
    const isCurrent = () => upload.value?.cancel === state.cancel;
    const onProgress = (progress: number) => {
      if (isCurrent()) upload.value = { ...state, progress };
    };
    const options = { onProgress, signal: controller.signal, seconds };
    try {
      const attached: Partial<Draft> = file.type.startsWith("image/")
        ? { image: await api.uploadImage(file, options) }
        : { file: await api.uploadFile(file, siteId, options) };
      if (!controller.signal.aborted) setDraft(conversation, attached);
      if (isCurrent()) upload.value = null;
    } catch (error) {
      if (isCurrent()) upload.value = isCancelled(error) ? null : { ...state, error: errorMessage(error) };
    }
  };
  return { upload, start };
}

interface AttachmentProps {
  conversation: number;
  image: string;
  file: FileAttachment | null;
  upload: Signal<Upload | null>;
  start(file: File, seconds?: number): void;
}

export function Attachments({ conversation, image, file, upload, start }: AttachmentProps) {
  const current = upload.value;
  if (!current && !image && !file) return null;
  return (
    <div class="attachment">
      {image && (
        <>
          <MessageImage url={image} alt={t("common.imageAlt")} />
          <IconButton
            icon="close"
            label={t("common.removeImage")}
            onClick={() => setDraft(conversation, { image: "" })}
          />
        </>
      )}
      {file && (
        <>
          <PanelFile file={file} />
          <IconButton
            icon="close"
            label={t("files.remove")}
            onClick={() => setDraft(conversation, { file: null })}
          />
        </>
      )}
      {current && <UploadState upload={upload} current={current} start={start} />}
    </div>
  );
}

interface UploadStateProps {
  upload: Signal<Upload | null>;
  current: Upload;
  start(file: File, seconds?: number): void;
}

function UploadState({ upload, current, start }: UploadStateProps) {
  const { file, progress, error, seconds } = current;
  const cancel = () => {
    current.cancel();
    upload.value = null;
  };
  if (error) {
    return (
      <p class="upload-state failed" role="alert">
        <span>{t("files.failed", { name: file.name, reason: error })}</span>
        <IconButton icon="retry" label={t("files.retry")} onClick={() => start(file, seconds)} />
        <IconButton icon="close" label={t("files.remove")} onClick={cancel} />
      </p>
    );
  }
  return (
    <p class="upload-state">
      <span dir="auto">{t("files.uploading", { name: file.name })}</span>
      <progress max={1} value={progress} aria-label={t("files.uploading", { name: file.name })} />
      <IconButton icon="close" label={t("files.cancel")} onClick={cancel} />
    </p>
  );
}

interface PanelVoiceNoteProps {
  /** The button that starts the recording, and then the one that ends it. */
  button: RefObject<HTMLButtonElement>;
  onRecorded(recording: Recording): void;
}

/** The button that records a voice note for a reply. */
export const PanelVoiceNote = ({ button, onRecorded }: PanelVoiceNoteProps) => (
  <VoiceNote
    button={button}
    labels={{
      record: t("files.record"),
      stop: t("files.stopRecording"),
      discard: t("files.discardRecording"),
      recording: t("files.recording"),
    }}
    icons={{
      record: <Icon name="microphone" />,
      stop: <Icon name="stop" />,
      discard: <Icon name="trash" />,
    }}
    onRecorded={onRecorded}
    onFailure={(reason: RecordingFailure) => showToast(t(`files.recording_${reason}`), "error")}
  />
);
