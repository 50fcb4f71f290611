/** Where the operator writes: a reply or a private note, with canned replies, images and a draft that is never lost. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation } from "../../../shared/views";
import { ask } from "../api/http";
import { me } from "../api/session";
import { isMine, visitorName } from "../state/chats";
import { draftOf, setDraft } from "../state/drafts";
import { post } from "../state/outbox";
import { canned } from "../state/prefs";
import { may } from "../state/sites";
import { attempt } from "../state/toasts";
import { IconButton } from "../ui/bits";
import { Icon } from "../ui/icon";
import { focusReply, tellTyping } from "./actions";
import { Picture } from "./messages";

const LONGEST = 8000;

export function Composer({ row }: { row: Conversation }) {
  const draft = draftOf(row.id);
  const text = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const uploading = useSignal(false);
  const over = useSignal(false);
  const chosen = useSignal(0);
  const held = row.mode === "operator" && !isMine(row);
  const note = draft.note || held;
  const replies = note ? [] : suggestions(draft.text);

  useLayoutEffect(() => {
    const area = text.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 220)}px`;
  }, [draft.text, row.id]);

  const asked = focusReply.value;
  useEffect(() => {
    if (!asked.count) return;
    if (asked.note !== draftOf(row.id).note) setDraft(row.id, { note: asked.note });
    text.current?.focus();
  }, [asked]);

  if (row.mode === "closed" || !may(row.site_id, "can_chat")) {
    const why =
      row.mode === "closed" ? "This chat is closed." : "You may read this chat, but not answer in it.";
    return <p class="composer-closed">{why}</p>;
  }

  const send = () => {
    const content = draft.text.trim();
    if ((!content && !draft.image) || uploading.value) return;
    post({ conversation: row.id, kind: note ? "note" : "message", content, image: note ? "" : draft.image });
    setDraft(row.id, { text: "", image: note ? draft.image : "", note: false });
    text.current?.focus();
  };

  const upload = async (file: File) => {
    uploading.value = true;
    const form = new FormData();
    form.set("image", file);
    await attempt(async () => {
      const answer = await ask<{ url: string }>("/operator/upload-image", { form });
      setDraft(row.id, { image: answer.url });
    });
    uploading.value = false;
  };

  const take = (files: FileList | null | undefined): boolean => {
    const image = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    if (image && !note) void upload(image);
    return image !== undefined && !note;
  };

  const use = (index: number) => {
    const reply = replies[index];
    if (reply) setDraft(row.id, { text: fill(reply.text, row) });
    chosen.value = 0;
    text.current?.focus();
  };

  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (replies.length && step && !event.altKey) {
      event.preventDefault();
      chosen.value = (chosen.value + step + replies.length) % replies.length;
    } else if (replies.length && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      use(Math.min(chosen.value, replies.length - 1));
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (replies.length) setDraft(row.id, { text: "" });
      else text.current?.blur();
    }
  };

  const expanded = replies.length > 0;
  return (
    <div
      class={`composer${note ? " note" : ""}${over.value ? " over" : ""}`}
      role="group"
      aria-label="Write"
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files")) {
          event.preventDefault();
          over.value = true;
        }
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        take(event.dataTransfer?.files);
      }}
    >
      {expanded && (
        <div class="suggestions" id="canned" role="listbox" aria-label="Canned replies">
          {replies.map((reply, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text field.
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
            <div
              key={reply.short}
              id={`canned-${index}`}
              role="option"
              class="suggestion"
              aria-selected={index === chosen.value}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => use(index)}
            >
              <kbd>/{reply.short}</kbd>
              <span dir="auto">{reply.text}</span>
            </div>
          ))}
        </div>
      )}
      {held && (
        <p class="composer-hint">
          <span dir="auto">{row.operator?.name}</span> holds this chat. You can leave a private note.
        </p>
      )}
      {(draft.image || uploading.value) && !note && (
        <div class="attachment">
          {uploading.value ? (
            <span class="composer-hint">Uploading the image…</span>
          ) : (
            <Picture url={draft.image} />
          )}
          {draft.image && (
            <IconButton icon="close" label="Remove image" onClick={() => setDraft(row.id, { image: "" })} />
          )}
        </div>
      )}
      <textarea
        ref={text}
        rows={1}
        dir="auto"
        maxLength={LONGEST}
        value={draft.text}
        aria-label={note ? "Private note" : "Reply"}
        aria-expanded={expanded}
        aria-controls={expanded ? "canned" : undefined}
        aria-activedescendant={expanded ? `canned-${chosen.value}` : undefined}
        role="combobox"
        aria-autocomplete="list"
        placeholder={placeholder(row, note)}
        onInput={(event) => {
          setDraft(row.id, { text: event.currentTarget.value });
          chosen.value = 0;
          if (!note && isMine(row) && event.currentTarget.value.trim()) tellTyping(row.id);
        }}
        onKeyDown={pressed}
        onPaste={(event) => take(event.clipboardData?.files) && event.preventDefault()}
      />
      <div class="composer-tools">
        <div class="kind" role="group" aria-label="Kind">
          <button
            type="button"
            aria-pressed={!note}
            disabled={held}
            onClick={() => setDraft(row.id, { note: false })}
          >
            Reply
          </button>
          <button type="button" aria-pressed={note} onClick={() => setDraft(row.id, { note: true })}>
            <Icon name="note" size={14} /> Note
          </button>
        </div>
        {!note && (
          <>
            <IconButton
              icon="image"
              label="Add an image"
              hint="or paste, or drop"
              onClick={() => picker.current?.click()}
            />
            <IconButton
              icon="bolt"
              label="Canned replies"
              hint="/"
              onClick={() => {
                setDraft(row.id, { text: "/" });
                text.current?.focus();
              }}
            />
            <input
              ref={picker}
              class="sr"
              type="file"
              tabIndex={-1}
              aria-hidden="true"
              accept="image/png,image/jpeg,image/gif,image/webp"
              onChange={(event) => {
                take(event.currentTarget.files);
                event.currentTarget.value = "";
              }}
            />
          </>
        )}
        <span class="grow" />
        <span class="composer-hint keys" aria-hidden="true">
          <kbd>Enter</kbd> sends
        </span>
        <button
          type="button"
          class="button primary send"
          disabled={(!draft.text.trim() && !draft.image) || uploading.value}
          onClick={send}
        >
          <Icon name={note ? "note" : "send"} size={16} />
          {note ? "Add note" : "Send"}
        </button>
      </div>
    </div>
  );
}

function placeholder(row: Conversation, note: boolean): string {
  if (note) return "A private note; the visitor never sees it";
  if (row.mode === "ai") return "Write to take over from the AI";
  if (row.mode === "pending") return "Write to accept this chat";
  return `Reply to ${visitorName(row)}`;
}

function suggestions(text: string): { short: string; text: string }[] {
  if (!text.startsWith("/") || /\s/.test(text)) return [];
  const word = text.slice(1).toLocaleLowerCase();
  return canned.value.filter((reply) => reply.short.toLocaleLowerCase().startsWith(word)).slice(0, 8);
}

function fill(text: string, row: Conversation): string {
  return text
    .replaceAll("{name}", row.visitor.name ?? "")
    .replaceAll("{me}", me.value?.name ?? "")
    .replace(/ +([,.!?])/g, "$1");
}
