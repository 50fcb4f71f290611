/** The composer: a reply or a private note, with canned replies, an image, a file and a draft that is never lost. */

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ACCEPTED_FILES } from "../../../shared/acceptedFiles";
import type { CannedReply, Conversation } from "../../../shared/apiTypes";
import { ACCEPTED_IMAGES, useAutoHeight } from "../../../shared/components";
import { canRecord } from "../../../shared/voiceNote";
import { cannedRepliesOfSite, countUse, refreshCannedReplies } from "../cannedReplies/store";
import { fillVariables, findTrigger, matchReplies, type Trigger } from "../cannedReplies/text";
import { shortcutHint, useActions, withShortcut } from "../commands/registry";
import { IconButton } from "../components/controls";
import { Icon } from "../components/icon";
import { showToast } from "../components/toasts";
import {
  composerFocus,
  composerInsertion,
  focusComposer,
  reopenConversation,
  sendTyping,
} from "../conversation/actions";
import { endWriting, reportWriting } from "../conversation/viewers";
import { type CopilotTask, isCopilotAvailable, runCopilot, targetKind } from "../copilot/copilot";
import { CopilotCard } from "../copilot/copilotCard";
import { CopilotMenu } from "../copilot/copilotMenu";
import { Attachments, PanelVoiceNote, useUpload } from "../files/attachment";
import { t, tx } from "../i18n/i18n";
import { isMine, visitorName } from "../inbox/conversations";
import { findMentionTrigger, loadMentionable, matchMentionable } from "../mentions/mentions";
import { QuickReplyEditor } from "../quickReplies/editorLoader";
import { toQuickReplies, toRows } from "../quickReplies/rows";
import { me } from "../session/session";
import { getSiteName, hasPermission } from "../sites/sites";
import { type DraftKind, getDraft, getKind, setDraft, setKind } from "./drafts";
import { useDroppedFiles } from "./droppedFiles";
import { enqueueMessage } from "./outbox";
import { getPreviewState, TranslationPreview, togglePreview } from "./translationPreview";

const MAX_CHARACTERS = 8000;
const MAX_HEIGHT_PX = 220;
const MAX_SUGGESTIONS = 8;

/** What the composer of a conversation writes: the operator's choice, or what they probably want. */
function resolveKind(conversation: number, assignedToOther: boolean): DraftKind {
  const draft = getDraft(conversation);
  const hasOnlyNote = draft.note !== "" && draft.reply === "" && draft.image === "" && !draft.file;
  return getKind(conversation) ?? (assignedToOther || hasOnlyNote ? "note" : "reply");
}

export function Composer({ conversation }: { conversation: Conversation }) {
  const { id } = conversation;
  const draft = getDraft(id);
  const field = useRef<HTMLTextAreaElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const voiceButton = useRef<HTMLButtonElement>(null);
  const { upload, start: startUpload } = useUpload(id, conversation.site_id);
  const dragging = useSignal(false);
  /** Where the chosen canned reply goes; null while none is being chosen. */
  const trigger = useSignal<Trigger | null>(null);
  const selected = useSignal(0);
  /** Where the name of an operator goes whom a note mentions; null while none is being typed. */
  const mention = useSignal<Trigger | null>(null);
  const assignedToOther = conversation.mode === "operator" && !isMine(conversation);
  const kind = resolveKind(id, assignedToOther);
  const isNote = kind === "note";
  const text = draft[kind];
  const suggestions =
    isNote || !trigger.value
      ? []
      : matchReplies(cannedRepliesOfSite(conversation.site_id), trigger.value.query).slice(
          0,
          MAX_SUGGESTIONS,
        );
  const people =
    isNote && mention.value
      ? matchMentionable(conversation.site_id, mention.value.query).slice(0, MAX_SUGGESTIONS)
      : [];
  const isUploading = upload.value !== null && upload.value.error === "";
  const isEmpty = !text.trim() && (isNote || !(draft.image || draft.file));
  const mayChat = hasPermission(conversation.site_id, "can_chat");
  const isEditable = mayChat && conversation.mode !== "closed";
  const maySend = !isEmpty && (isNote || !(isUploading || assignedToOther));
  const preview = getPreviewState(id);
  useAutoHeight(field, `${kind} ${text}`, MAX_HEIGHT_PX);

  // In the layout phase: the focus has moved before the next key is handled.
  const focusRequest = composerFocus.value;
  useLayoutEffect(() => {
    if (focusRequest?.conversation !== id) return;
    composerFocus.value = null;
    field.current?.focus();
  }, [focusRequest]);

  useDroppedFiles(isEditable, dragging, (files) => {
    attach(files);
  });

  const insertReply = (reply: CannedReply | undefined, range: TextRange | null) => {
    if (reply && range && field.current) {
      const inserted = fillVariables(reply.text, {
        "visitor.name": conversation.visitor.name,
        "visitor.email": conversation.visitor.email,
        "operator.name": me.value?.name,
        "site.name": getSiteName(conversation.site_id),
      });
      replaceText(field.current, range, inserted);
      setDraft(id, {
        reply: field.current.value,
        image: draft.image || (reply.image_url ?? ""),
        file: draft.file ?? reply.file ?? null,
        ...(reply.quick_replies.length && { quickReplies: toRows(reply.quick_replies) }),
      });
      countUse(reply);
    }
    trigger.value = null;
    selected.value = 0;
    field.current?.focus();
  };

  const insertMention = (name: string) => {
    if (mention.value && field.current) {
      replaceText(field.current, mention.value, `@${name} `);
      setDraft(id, { note: field.current.value });
    }
    mention.value = null;
    selected.value = 0;
    field.current?.focus();
  };

  /** Shows all canned replies; the one that is chosen goes to where the cursor is in the reply. */
  const suggestReplies = () => {
    const end = draft.reply.length;
    const range = field.current && !isNote ? getSelection(field.current) : { start: end, end };
    trigger.value = { ...range, query: "" };
    refreshCannedReplies();
    selected.value = 0;
  };

  const mayAttach = isEditable && !isNote && !assignedToOther;
  const mayAskCopilot = isEditable && isCopilotAvailable(conversation.site_id);
  const mayRewrite = mayAskCopilot && text.trim() !== "";
  useActions(
    () => ({
      "chat.reply": isEditable && (() => focusComposer(id, assignedToOther ? undefined : "reply")),
      "chat.note": isEditable && (() => focusComposer(id, "note")),
      "chat.cannedReply":
        isEditable &&
        !assignedToOther &&
        (() => {
          focusComposer(id, "reply");
          suggestReplies();
        }),
      "chat.file": mayAttach && (() => fileInput.current?.click()),
      "chat.voice": mayAttach && canRecord() && (() => voiceButton.current?.click()),
      "copilot.suggestion":
        mayAskCopilot && !isNote && (() => void runCopilot(id, "suggestion", text.trim())),
      "copilot.summary": mayAskCopilot && (() => void runCopilot(id, "summary", text.trim())),
      "copilot.shorter": mayRewrite && (() => void runCopilot(id, "shorter", text.trim())),
      "copilot.friendlier": mayRewrite && (() => void runCopilot(id, "friendlier", text.trim())),
      "copilot.correct": mayRewrite && (() => void runCopilot(id, "correct", text.trim())),
      "copilot.translate": mayRewrite && (() => void runCopilot(id, "translate", text.trim())),
      "chat.preview": isEditable && preview.available && (() => togglePreview(id)),
    }),
    [id, isEditable, assignedToOther, isNote, text, draft.reply, preview.available, mayAskCopilot],
  );

  const insertion = composerInsertion.value;
  useLayoutEffect(() => {
    if (insertion?.conversation !== id || isNote || !field.current) return;
    composerInsertion.value = null;
    insertReply(insertion.reply, getSelection(field.current));
  }, [insertion, isNote]);

  /** Uploads the first of some files. Returns whether there were any. */
  const attach = (files: FileList | null | undefined): boolean => {
    const file = files?.[0];
    if (!file) return false;
    if (isNote) showToast(t("files.notInNote"), "error");
    else void startUpload(file);
    return true;
  };

  if (conversation.mode === "closed") {
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
  if (!mayChat) return <p class="composer-closed">{t("composer.viewOnly")}</p>;

  const send = () => {
    if (!maySend) return;
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
  };

  /** Puts the copilot's text into the draft. Browsers' undo takes back what replaced the text that is shown. */
  const useCopilotText = (task: CopilotTask, written: string) => {
    const target = targetKind(task, kind);
    const whole = task === "summary" && draft.note ? `${draft.note}\n\n${written}` : written;
    if (target === kind && field.current) {
      replaceText(field.current, { start: 0, end: field.current.value.length }, whole);
    }
    setDraft(id, { [target]: whole });
    focusComposer(id, target);
  };

  const choices: Choice[] = [
    ...people.map(({ id: key, name }) => ({
      key,
      mark: `@${name}`,
      text: "",
      run: () => insertMention(name),
    })),
    ...suggestions.map((reply) => ({
      key: reply.id,
      mark: `/${reply.shortcut}`,
      text: reply.text,
      run: () => insertReply(reply, trigger.value),
    })),
  ];

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (choices.length && step && !event.altKey) {
      event.preventDefault();
      selected.value = (selected.value + step + choices.length) % choices.length;
    } else if (choices.length && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      choices[Math.min(selected.value, choices.length - 1)]?.run();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (choices.length) {
        trigger.value = null;
        mention.value = null;
      } else field.current?.blur();
    }
  };

  const choose = (chosen: DraftKind) => focusComposer(id, chosen);

  const expanded = choices.length > 0;
  return (
    <div
      class={`composer ${kind}${dragging.value ? " drop-target" : ""}`}
      role="group"
      aria-label={t("composer.label")}
    >
      {expanded && (
        <Suggestions
          choices={choices}
          selected={selected.value}
          label={t(isNote ? "composer.people" : "composer.cannedReplies")}
        />
      )}
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
      {!isNote && (
        <Attachments
          conversation={id}
          image={draft.image}
          file={draft.file ?? null}
          upload={upload}
          start={startUpload}
        />
      )}
      {!isNote && draft.quickReplies && (
        <QuickReplyEditor
          rows={draft.quickReplies}
          onChange={(rows) => setDraft(id, { quickReplies: rows.length ? rows : undefined })}
        />
      )}
      <CopilotCard conversation={id} onUse={useCopilotText} />
      {/* Two fields, not one with two meanings: undo and a half-composed character stay where they were typed. */}
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
        aria-activedescendant={expanded ? `composer-choice-${selected.value}` : undefined}
        role="combobox"
        aria-autocomplete="list"
        placeholder={getPlaceholder(conversation, isNote)}
        // From here on it is the operator's choice: a change of who handles the chat no longer affects it.
        onFocus={() => setKind(id, kind)}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          setKind(id, kind);
          setDraft(id, { [kind]: typed });
          trigger.value = findTrigger(typed, event.currentTarget.selectionStart);
          if (trigger.value) refreshCannedReplies();
          mention.value = isNote ? findMentionTrigger(typed, event.currentTarget.selectionStart) : null;
          // Without the list, the note can still be written; the names are looked up again when it is sent.
          if (mention.value) loadMentionable(conversation.site_id).catch(() => undefined);
          selected.value = 0;
          if (!isNote && isMine(conversation) && typed.trim()) sendTyping(id);
          if (!isNote && typed.trim()) reportWriting();
          else endWriting();
        }}
        onKeyDown={onKeyDown}
        // The cursor has gone elsewhere, so the shortcut is no longer being typed.
        onClick={() => {
          trigger.value = null;
          mention.value = null;
        }}
        onPaste={(event) => attach(event.clipboardData?.files) && event.preventDefault()}
      />
      {preview.shown && !isNote && <TranslationPreview key={id} conversation={id} text={text} />}
      <div class="composer-tools">
        <div class="composer-mode" role="group" aria-label={t("composer.messageType")}>
          <button
            type="button"
            aria-pressed={!isNote}
            disabled={assignedToOther && isNote}
            onClick={() => choose("reply")}
          >
            {t("composer.reply")}
            {isNote && (draft.reply || draft.image || draft.file) && <DraftMark />}
          </button>
          <button type="button" aria-pressed={isNote} onClick={() => choose("note")}>
            <Icon name="note" size={14} /> {t("composer.note")}
            {!isNote && draft.note && <DraftMark />}
          </button>
        </div>
        {!isNote && (
          <>
            <IconButton
              icon="clip"
              label={t("files.attach")}
              hint={`${shortcutHint("chat.file")}, ${t("files.attachHint")}`}
              onClick={() => fileInput.current?.click()}
            />
            <PanelVoiceNote
              button={voiceButton}
              onRecorded={({ file, seconds }) => void startUpload(file, seconds)}
            />
            <IconButton
              icon="bolt"
              label={t("composer.cannedReplies")}
              hint="/"
              active={expanded}
              onClick={() => {
                if (trigger.value) trigger.value = null;
                else suggestReplies();
                field.current?.focus();
              }}
            />
            <IconButton
              icon="done"
              label={t("composer.quickReplies")}
              active={Boolean(draft.quickReplies)}
              onClick={() =>
                setDraft(id, { quickReplies: draft.quickReplies ? undefined : [{ label: "", effect: "" }] })
              }
            />
            {preview.available && (
              <IconButton
                icon="language"
                label={t("composer.preview")}
                active={preview.shown}
                onClick={() => togglePreview(id)}
              />
            )}
            <input
              ref={fileInput}
              class="visually-hidden"
              type="file"
              tabIndex={-1}
              aria-hidden="true"
              accept={`${ACCEPTED_IMAGES},${ACCEPTED_FILES}`}
              onChange={(event) => {
                attach(event.currentTarget.files);
                event.currentTarget.value = "";
              }}
            />
          </>
        )}
        {isCopilotAvailable(conversation.site_id) && (
          <CopilotMenu conversation={id} draft={text} isNote={isNote} />
        )}
        <span class="grow" />
        <span class="composer-hint keys" aria-hidden="true">
          {tx(isNote ? "composer.enterToAdd" : "composer.enterToSend", { key: <kbd>Enter</kbd> })}
        </span>
        <button
          type="button"
          class={`button ${isNote ? "note" : "primary"}`}
          disabled={!maySend}
          onClick={send}
        >
          <Icon name={isNote ? "note" : "send"} size={16} />
          {isNote ? t("composer.addNote") : t("composer.send")}
        </button>
      </div>
    </div>
  );
}

/** Marks the type of message that has a draft while the other one is shown. */
const DraftMark = () => (
  <span class="draft-mark" title={t("composer.draft")}>
    <span class="visually-hidden">{t("composer.draftMark")}</span>
  </span>
);

type TextRange = Pick<Trigger, "start" | "end">;

const getSelection = (field: HTMLTextAreaElement): TextRange => ({
  start: field.selectionStart,
  end: field.selectionEnd,
});

/** Replaces a part of the field's text as typing would, so that the browser's undo takes it back. */
function replaceText(field: HTMLTextAreaElement, { start, end }: TextRange, inserted: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  // Deprecated, and the only way that undo knows of.
  if (document.execCommand?.("insertText", false, inserted)) return;
  field.setRangeText(inserted, start, end, "end");
}

/** A canned reply or a person, to insert where it was begun. */
interface Choice {
  key: number;
  /** What the operator may type. */
  mark: string;
  text: string;
  run: () => void;
}

interface SuggestionsProps {
  choices: Choice[];
  selected: number;
  label: string;
}

function Suggestions({ choices, selected, label }: SuggestionsProps) {
  return (
    <div class="suggestions" id="composer-choices" role="listbox" aria-label={label}>
      {choices.map((choice, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys.
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field.
        <div
          key={choice.key}
          id={`composer-choice-${index}`}
          role="option"
          class="suggestion"
          aria-selected={index === selected}
          onMouseDown={(event) => event.preventDefault()}
          onClick={choice.run}
        >
          <kbd dir="auto">{choice.mark}</kbd>
          <span dir="auto">{choice.text}</span>
        </div>
      ))}
    </div>
  );
}

function getPlaceholder(conversation: Conversation, isNote: boolean): string {
  if (isNote) return t("composer.placeholderNote");
  if (conversation.mode === "ai") return t("composer.placeholderAi");
  if (conversation.mode === "pending") return t("composer.placeholderPending");
  return t("composer.placeholderReply", { name: visitorName(conversation) });
}
