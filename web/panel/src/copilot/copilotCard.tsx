/** What the copilot has written, above the text field: to use in the draft, or to discard. */
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { type CopilotTask, discardCopilotText, getCopilotText, type Source } from "./copilot";

interface CopilotCardProps {
  conversation: number;
  onUse: (task: CopilotTask, text: string) => void;
}

export function CopilotCard({ conversation, onUse }: CopilotCardProps) {
  const shown = getCopilotText(conversation);
  if (!shown) return null;
  const { task, text, error, sources } = shown;
  const discard = () => discardCopilotText(conversation);
  const use = () => {
    discard();
    onUse(task, text ?? "");
  };
  const isWriting = text === undefined && error === undefined;
  return (
    <section class="copilot-card" aria-label={t("copilot.title")} aria-busy={isWriting}>
      <p class="copilot-card-label">
        <Icon name="spark" size={14} /> <strong>{t(`copilot.${task}`)}</strong> {t("copilot.onlyYou")}
      </p>
      <div role="status">
        {isWriting && <p class="muted">{t("copilot.writing")}</p>}
        {error && <p class="error-text">{error}</p>}
        {text !== undefined && (
          <p class="copilot-text" dir="auto">
            {text}
          </p>
        )}
      </div>
      {text !== undefined && task === "suggestion" && <Sources sources={sources} />}
      <div class="copilot-actions">
        <button type="button" class="button" onClick={discard}>
          {t("copilot.discard")}
        </button>
        {text !== undefined && (
          <button type="button" class="button primary" onClick={use}>
            {t(task === "summary" ? "copilot.useAsNote" : "copilot.use")}
          </button>
        )}
      </div>
    </section>
  );
}

function Sources({ sources }: { sources: Source[] }) {
  if (sources.length === 0) return <p class="muted">{t("copilot.noSources")}</p>;
  return (
    <details class="copilot-sources">
      <summary>{t("copilot.sources", { count: sources.length })}</summary>
      <ul>
        {sources.map((source) => (
          <li key={source.question} dir="auto">
            <strong>{source.question}</strong> {source.answer}
          </li>
        ))}
      </ul>
    </details>
  );
}
