/** The composer: text, a voice note, and an image or a file that is chosen, pasted or dropped. */
import { useEffect, useRef } from "preact/hooks";
import { ACCEPTED_FILES } from "../../../shared/acceptedFiles";
import { ACCEPTED_IMAGES, useAutoHeight } from "../../../shared/components";
import { strings } from "../i18n/i18n";
import { Icon } from "../icon";
import { lazyPart } from "../lazyPart";
import type { WidgetStore } from "../widgetStore";
import { findImageFile } from "./imageFile";

const VoiceNote = lazyPart(async () => (await import("./voiceNote")).VoiceNote);

/** Of a message. */
export const MAX_CHARACTERS = 8000;
const MAX_HEIGHT_PX = 120;

export function Composer({ store }: { store: WidgetStore }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const text = store.draft.value;
  useEffect(() => field.current?.focus(), []);
  useAutoHeight(field, text, MAX_HEIGHT_PX);
  const send = () => {
    if (!text.trim()) return;
    store.sendMessage(text);
    store.setDraft("");
    field.current?.focus();
  };
  const mayAttach = store.maySendFiles.value;
  /** Sends the first image among files, or else the first file. Returns whether there were files. */
  const sendFiles = (files: FileList | null | undefined): boolean => {
    const first = files?.[0];
    if (!first) return false;
    const image = findImageFile(files);
    if (image) void store.sendImage(image);
    else if (mayAttach) void store.sendFile(first);
    else store.error.value = strings.imageUnsupported;
    return true;
  };
  const upload = store.uploading.value;
  return (
    <div
      class="composer"
      role="group"
      aria-label={strings.writeMessage}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        sendFiles(event.dataTransfer?.files);
      }}
    >
      {store.error.value && (
        <div class="banner">
          <p role="alert">{store.error.value}</p>
          {store.failedUpload.value && (
            <button type="button" class="text-button" onClick={() => store.retryUpload()}>
              {strings.tryAgain}
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-label={strings.dismiss}
            onClick={() => store.dismissError()}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
      {upload && (
        <div class="banner quiet">
          <p role="status">{strings.uploading}</p>
          <progress max={1} value={upload.progress} aria-label={upload.name} />
          <button
            type="button"
            class="icon-button"
            aria-label={strings.cancel}
            onClick={() => upload.cancel()}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
      <div class="composer-field">
        <button
          type="button"
          class="icon-button"
          aria-label={mayAttach ? strings.sendFile : strings.sendImage}
          disabled={upload !== null}
          onClick={() => fileInput.current?.click()}
        >
          <Icon name={mayAttach ? "clip" : "image"} />
        </button>
        {store.mayRecord.value && <VoiceNote store={store} />}
        <input
          ref={fileInput}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-hidden="true"
          accept={mayAttach ? `${ACCEPTED_IMAGES},${ACCEPTED_FILES}` : ACCEPTED_IMAGES}
          onChange={(event) => {
            sendFiles(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={field}
          rows={1}
          dir={text ? "auto" : undefined}
          maxLength={MAX_CHARACTERS}
          aria-label={strings.writeMessage}
          placeholder={strings.writeMessage}
          value={text}
          onInput={(event) => store.setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
          onPaste={(event) => sendFiles(event.clipboardData?.files) && event.preventDefault()}
        />
        <button
          type="button"
          class="icon-button send"
          aria-label={strings.send}
          disabled={!text.trim()}
          onClick={send}
        >
          <Icon name="send" />
        </button>
      </div>
    </div>
  );
}
