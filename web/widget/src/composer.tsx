/** Where the visitor writes; images are chosen, pasted or dropped. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";
import type { Store } from "./store";
import { words } from "./words";

export function Composer({ store }: { store: Store }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const text = store.draft.value;
  useEffect(() => area.current?.focus(), []);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 120)}px`;
  }, [text]);
  const send = () => {
    if (!text.trim()) return;
    store.say(text);
    store.setDraft("");
    area.current?.focus();
  };
  const take = (files: FileList | null | undefined): boolean => {
    const image = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    if (image) void store.sendImage(image);
    return image !== undefined;
  };
  const problem = store.problem.value;
  return (
    <div
      class="composer"
      role="group"
      aria-label={words.write}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        take(event.dataTransfer?.files);
      }}
    >
      {problem && (
        <p class="bar" role="alert">
          {problem === "upload" ? words.upload : problem === "network" ? words.network : problem}
        </p>
      )}
      {store.uploading.value && (
        <p class="bar quiet" role="status">
          {words.uploading}
        </p>
      )}
      <div class="write">
        <button type="button" class="plain" aria-label={words.image} onClick={() => picker.current?.click()}>
          <Icon name="image" />
        </button>
        <input
          ref={picker}
          type="file"
          class="hidden"
          tabIndex={-1}
          aria-hidden="true"
          accept="image/png,image/jpeg,image/gif,image/webp"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={area}
          rows={1}
          dir={text ? "auto" : undefined}
          maxLength={8000}
          aria-label={words.write}
          placeholder={words.write}
          value={text}
          onInput={(event) => store.setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            send();
          }}
          onPaste={(event) => take(event.clipboardData?.files) && event.preventDefault()}
        />
        <button
          type="button"
          class="plain send"
          aria-label={words.send}
          disabled={!text.trim()}
          onClick={send}
        >
          <Icon name="send" />
        </button>
      </div>
    </div>
  );
}
