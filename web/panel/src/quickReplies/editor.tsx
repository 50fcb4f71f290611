/** The rows in which an operator writes quick replies: for a message, or for a canned reply. */
import { IconButton } from "../components/controls";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { MAX_QUICK_REPLIES, type QuickReplyRow } from "./rows";
import "./editor.css";

interface EditorProps {
  rows: readonly QuickReplyRow[];
  onChange(rows: QuickReplyRow[]): void;
}

export function QuickReplyEditor({ rows, onChange }: EditorProps) {
  const change = (index: number, fields: Partial<QuickReplyRow>) =>
    onChange(rows.map((row, at) => (at === index ? { ...row, ...fields } : row)));
  return (
    <fieldset class="quick-reply-editor">
      <legend>{t("composer.quickReplies")}</legend>
      {rows.map((row, index) => (
        <div key={index} class="quick-reply-row">
          <input
            aria-label={t("quickReplies.label", { number: index + 1 })}
            placeholder={t("quickReplies.labelHint")}
            dir="auto"
            maxLength={40}
            value={row.label}
            onInput={(event) => change(index, { label: event.currentTarget.value })}
          />
          <input
            aria-label={t("quickReplies.effect", { number: index + 1 })}
            placeholder={t("quickReplies.effectHint", { example: "https://…" })}
            dir="auto"
            maxLength={1000}
            value={row.effect}
            onInput={(event) => change(index, { effect: event.currentTarget.value })}
          />
          <IconButton
            icon="close"
            label={t("quickReplies.remove", { number: index + 1 })}
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      {rows.length < MAX_QUICK_REPLIES && (
        <button
          type="button"
          class="text-button"
          onClick={() => onChange([...rows, { label: "", effect: "" }])}
        >
          <Icon name="plus" size={14} /> {t("quickReplies.add")}
        </button>
      )}
    </fieldset>
  );
}
