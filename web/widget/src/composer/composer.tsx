/** The composer: text, and an image that is chosen, pasted or dropped. */
import { useEffect, useRef } from "preact/hooks";
import { ACCEPTED_IMAGES, useAutoHeight } from "../../../shared/components";
import { strings } from "../i18n/i18n";
import { Icon } from "../icon";
import type { WidgetStore } from "../widgetStore";
import { findImageFile } from "./imageFile";

const MAX_CHARACTERS = 8000;
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
  /** Sends the first image among files. Returns whether there were files. */
  const sendImage = (files: FileList | null | undefined): boolean => {
    if (!files?.length) return false;
    const image = findImageFile(files);
    if (image) void store.sendImage(image);
    else store.refuseFile();
    return true;
  };
  return (
    <div
      class="composer"
      role="group"
      aria-label={strings.writeMessage}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        sendImage(event.dataTransfer?.files);
      }}
    >
      {store.error.value && (
        <div class="banner">
          <p role="alert">{store.error.value}</p>
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
      {store.uploading.value && (
        <p class="banner quiet" role="status">
          {strings.uploading}
        </p>
      )}
      <div class="composer-field">
        <button
          type="button"
          class="icon-button"
          aria-label={strings.sendImage}
          onClick={() => fileInput.current?.click()}
        >
          <Icon name="image" />
        </button>
        <input
          ref={fileInput}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-hidden="true"
          accept={ACCEPTED_IMAGES}
          onChange={(event) => {
            sendImage(event.currentTarget.files);
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
          onPaste={(event) => sendImage(event.clipboardData?.files) && event.preventDefault()}
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
