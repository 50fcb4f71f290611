/** The composer: a reply or a private note, with canned replies, an image, a file and a draft that is never lost. */

import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation } from "../../../shared/apiTypes";
import { useAutoHeight } from "../../../shared/components";
import { canRecord } from "../../../shared/voiceNote";
import { useActions, withShortcut } from "../commands/registry";
import { Icon } from "../components/icon";
import { showToast } from "../components/toasts";
import { composerFocus, focusComposer, reopenConversation, sendTyping } from "../conversation/actions";
import { endWriting, reportWriting } from "../conversation/viewers";
import { type CopilotTask, isCopilotAvailable, runCopilot, targetKind } from "../copilot/copilot";
import { CopilotCard } from "../copilot/copilotCard";
import { Attachments, type Upload, useUpload } from "../files/attachment";
import { t, tx } from "../i18n/i18n";
import { isMine, visitorName } from "../inbox/conversations";
import { QuickReplyEditor } from "../quickReplies/editorLoader";
import { toQuickReplies } from "../quickReplies/rows";
import { hasPermission } from "../sites/sites";
import { type Draft, type DraftKind, getDraft, getKind, setDraft, setKind } from "./drafts";
import { useDroppedFiles } from "./droppedFiles";
import { enqueueMessage } from "./outbox";
import { SuggestionList, type Suggestions, useSuggestions } from "./suggestions";
import { replaceText } from "./textField";
import { ComposerTools } from "./tools";
import { getPreviewState, TranslationPreview, togglePreview } from "./translationPreview";

const MAX_CHARACTERS = 8000;
const MAX_HEIGHT_PX = 220;

/** What the composer of a conversation writes: the operator's choice, or what they probably want. */
function resolveKind(conversation: number, assignedToOther: boolean): DraftKind {
  const draft = getDraft(conversation);
  const hasOnlyNote = draft.note !== "" && draft.reply === "" && draft.image === "" && !draft.file;
  return getKind(conversation) ?? (assignedToOther || hasOnlyNote ? "note" : "reply");
}

export function Composer({ conversation }: { conversation: Conversation }) {
  const uploads = useUpload(conversation.id, conversation.site_id);
  const mayChat = hasPermission(conversation.site_id, "can_chat");
  if (conversation.mode === "closed") return <ClosedComposer conversation={conversation} mayChat={mayChat} />;
  if (!mayChat) return <p class="composer-closed">{t("composer.viewOnly")}</p>;
  return <Editor conversation={conversation} {...uploads} />;
}

function ClosedComposer({ conversation, mayChat }: { conversation: Conversation; mayChat: boolean }) {
  return (
    <div class="composer-closed">
      <p>{t("composer.closed")}</p>
      {mayChat && (
        <button
          type="button"
          class="button"
          title={withShortcut(t("composer.reopen"), "chat.reopen")}
          onClick={() => reopenConversation(conversation)}
        >
          {t("composer.reopen")}
        </button>
      )}
    </div>
  );
}

/** What the parts of the composer know of what is being written. */
export interface ComposerState {
  conversation: Conversation;
  draft: Draft;
  kind: DraftKind;
  isNote: boolean;
  /** Of the reply or the note that is shown. */
  text: string;
  /** Whether another operator handles the conversation. */
  assignedToOther: boolean;
  field: RefObject<HTMLTextAreaElement>;
  fileInput: RefObject<HTMLInputElement>;
  voiceButton: RefObject<HTMLButtonElement>;
  suggestions: Suggestions;
}

function useComposerState(conversation: Conversation): ComposerState {
  const field = useRef<HTMLTextAreaElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const voiceButton = useRef<HTMLButtonElement>(null);
  const draft = getDraft(conversation.id);
  const assignedToOther = conversation.mode === "operator" && !isMine(conversation);
  const kind = resolveKind(conversation.id, assignedToOther);
  const suggestions = useSuggestions(conversation, kind, field);
  return {
    conversation,
    draft,
    kind,
    isNote: kind === "note",
    text: draft[kind],
    assignedToOther,
    field,
    fileInput,
    voiceButton,
    suggestions,
  };
}

interface EditorProps {
  conversation: Conversation;
  upload: Signal<Upload | null>;
  start(file: File, seconds?: number): void;
}

function Editor({ conversation, upload, start }: EditorProps) {
  const { id } = conversation;
  const state = useComposerState(conversation);
  const { draft, kind, isNote, text, assignedToOther, field, suggestions } = state;
  const dragging = useSignal(false);
  const isUploading = upload.value !== null && upload.value.error === "";
  const isEmpty = !text.trim() && (isNote || !(draft.image || draft.file));
  const maySend = !isEmpty && (isNote || !(isUploading || assignedToOther));
  useAutoHeight(field, `${kind} ${text}`, MAX_HEIGHT_PX);
  useFocusRequest(id, field);
  useComposerActions(state);
  /** Uploads the first of some files. Returns whether there were any. */
  const attach = (files: FileList | null | undefined): boolean => {
    const file = files?.[0];
    if (!file) return false;
    if (isNote) showToast(t("files.notInNote"), "error");
    else start(file);
    return true;
  };
  useDroppedFiles(dragging, attach);
  const send = () => {
    if (maySend) sendDraft(state);
  };
  return (
    <div
      class={`composer ${kind}${dragging.value ? " drop-target" : ""}`}
      role="group"
      aria-label={t("composer.label")}
    >
      <SuggestionList suggestions={suggestions} isNote={isNote} />
      <Notices state={state} />
      {!isNote && (
        <Attachments
          conversation={id}
          image={draft.image}
          file={draft.file ?? null}
          upload={upload}
          start={start}
        />
      )}
      {!isNote && draft.quickReplies && (
        <QuickReplyEditor
          rows={draft.quickReplies}
          onChange={(rows) => setDraft(id, { quickReplies: rows.length ? rows : undefined })}
        />
      )}
      <CopilotCard conversation={id} onUse={(task, written) => insertCopilotText(state, task, written)} />
      <MessageField state={state} attach={attach} send={send} />
      {getPreviewState(id).shown && !isNote && <TranslationPreview key={id} conversation={id} text={text} />}
      <ComposerTools state={state} attach={attach} start={start} maySend={maySend} send={send} />
    </div>
  );
}

/** Who reads the note, and who else handles the conversation. */
function Notices({ state: { conversation, isNote, assignedToOther } }: { state: ComposerState }) {
  return (
    <>
      {isNote && (
        <p class="composer-note-label">
          <Icon name="note" size={14} /> <strong>{t("composer.privateNote")}</strong>{" "}
          {t("composer.privateNoteText")}
        </p>
      )}
      {assignedToOther && (
        <p class="composer-hint">
          {tx("composer.handledBy", { name: <span dir="auto">{conversation.operator?.name}</span> })}
        </p>
      )}
    </>
  );
}

/** Moves the focus into the field when it is asked for. */
function useFocusRequest(id: number, field: RefObject<HTMLTextAreaElement>): void {
  const request = composerFocus.value;
  // In the layout phase: the focus has moved before the next key is handled.
  useLayoutEffect(() => {
    if (request?.conversation !== id) return;
    composerFocus.value = null;
    field.current?.focus();
  }, [request]);
}

function useComposerActions(state: ComposerState): void {
  const { conversation, draft, isNote, text, assignedToOther, fileInput, voiceButton, suggestions } = state;
  const { id } = conversation;
  const { available: isTranslated } = getPreviewState(id);
  const mayAttach = !isNote && !assignedToOther;
  const mayAskCopilot = isCopilotAvailable(conversation.site_id);
  const mayRewrite = mayAskCopilot && text.trim() !== "";
  const ask = (task: CopilotTask) => () => void runCopilot(id, task, text.trim());
  useActions(
    () => ({
      "chat.reply": () => focusComposer(id, assignedToOther ? undefined : "reply"),
      "chat.note": () => focusComposer(id, "note"),
      "chat.cannedReply":
        !assignedToOther &&
        (() => {
          focusComposer(id, "reply");
          suggestions.showReplies();
        }),
      "chat.file": mayAttach && (() => fileInput.current?.click()),
      "chat.voice": mayAttach && canRecord() && (() => voiceButton.current?.click()),
      "copilot.suggestion": mayAskCopilot && !isNote && ask("suggestion"),
      "copilot.summary": mayAskCopilot && ask("summary"),
      "copilot.shorter": mayRewrite && ask("shorter"),
      "copilot.friendlier": mayRewrite && ask("friendlier"),
      "copilot.correct": mayRewrite && ask("correct"),
      "copilot.translate": mayRewrite && ask("translate"),
      "chat.preview": isTranslated && (() => togglePreview(id)),
    }),
    [id, assignedToOther, isNote, text, draft.reply, isTranslated, mayAskCopilot],
  );
}

function sendDraft({ conversation: { id }, draft, isNote, text, field }: ComposerState): void {
  endWriting();
  enqueueMessage({
    conversation: id,
    kind: isNote ? "note" : "message",
    content: text.trim(),
    image: isNote ? "" : draft.image,
    file: isNote ? null : (draft.file ?? null),
    quickReplies: isNote ? [] : toQuickReplies(draft.quickReplies),
  });
  setDraft(id, isNote ? { note: "" } : { reply: "", image: "", file: null, quickReplies: undefined });
  field.current?.focus();
}

/** Puts the copilot's text into the draft. Browsers' undo takes back what replaced the text that is shown. */
function insertCopilotText(state: ComposerState, task: CopilotTask, written: string): void {
  const { conversation, draft, kind, field } = state;
  const target = targetKind(task, kind);
  const whole = task === "summary" && draft.note ? `${draft.note}\n\n${written}` : written;
  if (target === kind && field.current) {
    replaceText(field.current, { start: 0, end: field.current.value.length }, whole);
  }
  setDraft(conversation.id, { [target]: whole });
  focusComposer(conversation.id, target);
}

interface MessageFieldProps {
  state: ComposerState;
  attach(files: FileList | null | undefined): boolean;
  send(): void;
}

/** Two fields, not one with two meanings: undo and a half-composed character stay where they were typed. */
function MessageField({ state, attach, send }: MessageFieldProps) {
  const { conversation, kind, isNote, text, field, suggestions } = state;
  const { id } = conversation;
  const expanded = suggestions.choices.length > 0;
  const onInput = (typed: string, cursor: number) => {
    setKind(id, kind);
    setDraft(id, { [kind]: typed });
    suggestions.update(typed, cursor);
    if (!isNote && isMine(conversation) && typed.trim()) sendTyping(id);
    if (!isNote && typed.trim()) reportWriting();
    else endWriting();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || suggestions.handleKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) send();
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
  };
  return (
    <textarea
      key={kind}
      ref={field}
      rows={1}
      dir="auto"
      maxLength={MAX_CHARACTERS}
      value={text}
      aria-label={isNote ? t("composer.privateNote") : t("composer.reply")}
      aria-expanded={expanded}
      aria-controls={expanded ? "composer-choices" : undefined}
      aria-activedescendant={expanded ? `composer-choice-${suggestions.selected}` : undefined}
      role="combobox"
      aria-autocomplete="list"
      placeholder={getPlaceholder(conversation, isNote)}
      // From here on it is the operator's choice: a change of who handles the chat no longer affects it.
      onFocus={() => setKind(id, kind)}
      onInput={({ currentTarget: { value, selectionStart } }) => onInput(value, selectionStart)}
      onKeyDown={onKeyDown}
      // The cursor has gone elsewhere, so the shortcut is no longer being typed.
      onClick={suggestions.close}
      onPaste={(event) => attach(event.clipboardData?.files) && event.preventDefault()}
    />
  );
}

function getPlaceholder(conversation: Conversation, isNote: boolean): string {
  if (isNote) return t("composer.placeholderNote");
  if (conversation.mode === "ai") return t("composer.placeholderAi");
  if (conversation.mode === "pending") return t("composer.placeholderPending");
  return t("composer.placeholderReply", { name: visitorName(conversation) });
}
