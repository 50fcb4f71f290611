/** The composer: a reply or a private note, with canned replies, an image and a draft that is never lost. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Conversation } from "../../../shared/apiTypes";
import { ACCEPTED_IMAGES, findImage, MessageImage, useAutoHeight } from "../../../shared/components";
import { api } from "../api/client";
import { IconButton } from "../components/controls";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { composerFocus, sendTyping } from "../conversation/actions";
import { IMAGE_ALT } from "../conversation/messages";
import { isMine, visitorName } from "../inbox/conversations";
import { me } from "../session/session";
import { type CannedReply, cannedReplies } from "../settings/preferences";
import { hasPermission } from "../sites/sites";
import { getDraft, setDraft } from "./drafts";
import { enqueueMessage } from "./outbox";

const MAX_CHARACTERS = 8000;
const MAX_HEIGHT_PX = 220;
const MAX_SUGGESTIONS = 8;

export function Composer({ conversation }: { conversation: Conversation }) {
  const { id } = conversation;
  const draft = getDraft(id);
  const field = useRef<HTMLTextAreaElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const uploading = useSignal(false);
  const dragging = useSignal(false);
  const selected = useSignal(0);
  const assignedToOther = conversation.mode === "operator" && !isMine(conversation);
  const isNote = draft.note || assignedToOther;
  const suggestions = isNote ? [] : findCannedReplies(draft.text);
  const isEmpty = !draft.text.trim() && !draft.image;
  useAutoHeight(field, draft.text, MAX_HEIGHT_PX);

  const focusRequest = composerFocus.value;
  useEffect(() => {
    if (!focusRequest.count) return;
    if (focusRequest.note !== getDraft(id).note) setDraft(id, { note: focusRequest.note });
    field.current?.focus();
  }, [focusRequest]);

  if (conversation.mode === "closed" || !hasPermission(conversation.site_id, "can_chat")) {
    const reason =
      conversation.mode === "closed" ? "This chat is closed." : "You can view this chat but not reply.";
    return <p class="composer-closed">{reason}</p>;
  }

  const send = () => {
    if (isEmpty || uploading.value) return;
    enqueueMessage({
      conversation: id,
      kind: isNote ? "note" : "message",
      content: draft.text.trim(),
      image: isNote ? "" : draft.image,
    });
    setDraft(id, { text: "", image: isNote ? draft.image : "", note: false });
    field.current?.focus();
  };

  const upload = async (file: File) => {
    uploading.value = true;
    await runWithToast(async () => setDraft(id, { image: await api.uploadImage(file) }));
    uploading.value = false;
  };

  /** Uploads the first image among files. Returns whether there is one. */
  const attachImage = (files: FileList | null | undefined): boolean => {
    const image = isNote ? undefined : findImage(files);
    if (image) void upload(image);
    return image !== undefined;
  };

  const insertReply = (index: number) => {
    const reply = suggestions[index];
    if (reply) setDraft(id, { text: fillPlaceholders(reply.text, conversation) });
    selected.value = 0;
    field.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (suggestions.length && step && !event.altKey) {
      event.preventDefault();
      selected.value = (selected.value + step + suggestions.length) % suggestions.length;
    } else if (suggestions.length && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      insertReply(Math.min(selected.value, suggestions.length - 1));
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (suggestions.length) setDraft(id, { text: "" });
      else field.current?.blur();
    }
  };

  const expanded = suggestions.length > 0;
  return (
    <div
      class={`composer${isNote ? " note" : ""}${dragging.value ? " drop-target" : ""}`}
      role="group"
      aria-label="Composer"
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files")) {
          event.preventDefault();
          dragging.value = true;
        }
      }}
      onDragLeave={() => {
        dragging.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        dragging.value = false;
        attachImage(event.dataTransfer?.files);
      }}
    >
      {expanded && <Suggestions replies={suggestions} selected={selected.value} onSelect={insertReply} />}
      {assignedToOther && (
        <p class="composer-hint">
          <span dir="auto">{conversation.operator?.name}</span> is handling this chat. You can add a private
          note.
        </p>
      )}
      {(draft.image || uploading.value) && !isNote && (
        <div class="attachment">
          {uploading.value ? (
            <span class="composer-hint">Uploading image…</span>
          ) : (
            <MessageImage url={draft.image} alt={IMAGE_ALT} />
          )}
          {draft.image && (
            <IconButton icon="close" label="Remove image" onClick={() => setDraft(id, { image: "" })} />
          )}
        </div>
      )}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        maxLength={MAX_CHARACTERS}
        value={draft.text}
        aria-label={isNote ? "Private note" : "Reply"}
        aria-expanded={expanded}
        aria-controls={expanded ? "canned-replies" : undefined}
        aria-activedescendant={expanded ? `canned-reply-${selected.value}` : undefined}
        role="combobox"
        aria-autocomplete="list"
        placeholder={getPlaceholder(conversation, isNote)}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setDraft(id, { text });
          selected.value = 0;
          if (!isNote && isMine(conversation) && text.trim()) sendTyping(id);
        }}
        onKeyDown={onKeyDown}
        onPaste={(event) => attachImage(event.clipboardData?.files) && event.preventDefault()}
      />
      <div class="composer-tools">
        <div class="composer-mode" role="group" aria-label="Message type">
          <button
            type="button"
            aria-pressed={!isNote}
            disabled={assignedToOther}
            onClick={() => setDraft(id, { note: false })}
          >
            Reply
          </button>
          <button type="button" aria-pressed={isNote} onClick={() => setDraft(id, { note: true })}>
            <Icon name="note" size={14} /> Note
          </button>
        </div>
        {!isNote && (
          <>
            <IconButton
              icon="image"
              label="Add image"
              hint="or paste or drop it"
              onClick={() => fileInput.current?.click()}
            />
            <IconButton
              icon="bolt"
              label="Canned replies"
              hint="/"
              onClick={() => {
                setDraft(id, { text: "/" });
                field.current?.focus();
              }}
            />
            <input
              ref={fileInput}
              class="visually-hidden"
              type="file"
              tabIndex={-1}
              aria-hidden="true"
              accept={ACCEPTED_IMAGES}
              onChange={(event) => {
                attachImage(event.currentTarget.files);
                event.currentTarget.value = "";
              }}
            />
          </>
        )}
        <span class="grow" />
        <span class="composer-hint keys" aria-hidden="true">
          <kbd>Enter</kbd> to send
        </span>
        <button type="button" class="button primary" disabled={isEmpty || uploading.value} onClick={send}>
          <Icon name={isNote ? "note" : "send"} size={16} />
          {isNote ? "Add note" : "Send"}
        </button>
      </div>
    </div>
  );
}

interface SuggestionsProps {
  replies: CannedReply[];
  selected: number;
  onSelect: (index: number) => void;
}

function Suggestions({ replies, selected, onSelect }: SuggestionsProps) {
  return (
    <div class="suggestions" id="canned-replies" role="listbox" aria-label="Canned replies">
      {replies.map((reply, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys.
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
        <div
          key={reply.short}
          id={`canned-reply-${index}`}
          role="option"
          class="suggestion"
          aria-selected={index === selected}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onSelect(index)}
        >
          <kbd>/{reply.short}</kbd>
          <span dir="auto">{reply.text}</span>
        </div>
      ))}
    </div>
  );
}

function getPlaceholder(conversation: Conversation, isNote: boolean): string {
  if (isNote) return "Private note (visitors cannot see it)";
  if (conversation.mode === "ai") return "Write a reply to take over from the AI";
  if (conversation.mode === "pending") return "Write a reply to accept this chat";
  return `Reply to ${visitorName(conversation)}`;
}

/** The canned replies whose shortcut starts with what follows the slash. */
function findCannedReplies(text: string): CannedReply[] {
  if (!text.startsWith("/") || /\s/.test(text)) return [];
  const prefix = text.slice(1).toLocaleLowerCase();
  return cannedReplies.value
    .filter((reply) => reply.short.toLocaleLowerCase().startsWith(prefix))
    .slice(0, MAX_SUGGESTIONS);
}

function fillPlaceholders(text: string, conversation: Conversation): string {
  return (
    text
      .replaceAll("{name}", conversation.visitor.name ?? "")
      .replaceAll("{me}", me.value?.name ?? "")
      // A visitor without a name leaves a space before the punctuation.
      .replace(/ +([,.!?])/g, "$1")
  );
}
