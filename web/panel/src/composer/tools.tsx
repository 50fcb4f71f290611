/** The row of buttons below the text field: reply or note, what to add to a reply, the copilot, and sending. */
import { ACCEPTED_FILES } from "../../../shared/acceptedFiles";
import { ACCEPTED_IMAGES } from "../../../shared/components";
import { shortcutHint } from "../commands/registry";
import { IconButton } from "../components/controls";
import { Icon } from "../components/icon";
import { focusComposer } from "../conversation/actions";
import { isCopilotAvailable } from "../copilot/copilot";
import { CopilotMenu } from "../copilot/copilotMenu";
import { PanelVoiceNote } from "../files/attachment";
import { t, tx } from "../i18n/i18n";
import type { ComposerState } from "./composer";
import { setDraft } from "./drafts";
import { getPreviewState, togglePreview } from "./translationPreview";

interface ComposerToolsProps {
  state: ComposerState;
  attach(files: FileList | null): void;
  start(file: File, seconds?: number): void;
  maySend: boolean;
  send(): void;
}

export function ComposerTools({ state, attach, start, maySend, send }: ComposerToolsProps) {
  const { conversation, isNote, text } = state;
  return (
    <div class="composer-tools">
      <KindButtons state={state} />
      {!isNote && <ReplyTools state={state} attach={attach} start={start} />}
      {isCopilotAvailable(conversation.site_id) && (
        <CopilotMenu conversation={conversation.id} draft={text} isNote={isNote} />
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
  );
}

function KindButtons({ state: { conversation, draft, isNote, assignedToOther } }: { state: ComposerState }) {
  return (
    <div class="composer-mode" role="group" aria-label={t("composer.messageType")}>
      <button
        type="button"
        aria-pressed={!isNote}
        disabled={assignedToOther && isNote}
        onClick={() => focusComposer(conversation.id, "reply")}
      >
        {t("composer.reply")}
        {isNote && (draft.reply || draft.image || draft.file) && <DraftMark />}
      </button>
      <button type="button" aria-pressed={isNote} onClick={() => focusComposer(conversation.id, "note")}>
        <Icon name="note" size={14} /> {t("composer.note")}
        {!isNote && draft.note && <DraftMark />}
      </button>
    </div>
  );
}

/** Marks the type of message that has a draft while the other one is shown. */
const DraftMark = () => (
  <span class="draft-mark" title={t("composer.draft")}>
    <span class="visually-hidden">{t("composer.draftMark")}</span>
  </span>
);

/** What can be added to a reply. */
function ReplyTools({ state, attach, start }: Pick<ComposerToolsProps, "state" | "attach" | "start">) {
  const { conversation, draft, field, fileInput, voiceButton, suggestions } = state;
  const { id } = conversation;
  const preview = getPreviewState(id);
  const isChoosing = suggestions.choices.length > 0;
  const toggleReplies = () => {
    if (isChoosing) suggestions.close();
    else suggestions.showReplies();
    field.current?.focus();
  };
  const toggleQuickReplies = () =>
    setDraft(id, { quickReplies: draft.quickReplies ? undefined : [{ label: "", effect: "" }] });
  return (
    <>
      <IconButton
        icon="clip"
        label={t("files.attach")}
        hint={`${shortcutHint("chat.file")}, ${t("files.attachHint")}`}
        onClick={() => fileInput.current?.click()}
      />
      <PanelVoiceNote button={voiceButton} onRecorded={({ file, seconds }) => start(file, seconds)} />
      <IconButton
        icon="bolt"
        label={t("composer.cannedReplies")}
        hint="/"
        active={isChoosing}
        onClick={toggleReplies}
      />
      <IconButton
        icon="done"
        label={t("composer.quickReplies")}
        active={Boolean(draft.quickReplies)}
        onClick={toggleQuickReplies}
      />
      {preview.available && (
        <IconButton
          icon="language"
          label={t("composer.preview")}
          active={preview.shown}
          onClick={() => togglePreview(id)}
        />
      )}
      <FileInput input={fileInput} attach={attach} />
    </>
  );
}

const FileInput = ({
  input,
  attach,
}: {
  input: ComposerState["fileInput"];
  attach(files: FileList | null): void;
}) => (
  <input
    ref={input}
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
);
