/** The menu in which an operator chooses labels: with what they do, for one conversation or for several. */
import type { Label } from "../../../shared/apiTypes";
import { t } from "../i18n/i18n";

interface LabelMenuProps {
  labels: readonly Label[];
  /** Ids of those that are given. */
  given: readonly number[];
  onToggle: (label: Label, give: boolean) => void;
}

export function LabelMenu({ labels, given, onToggle }: LabelMenuProps) {
  if (labels.length === 0) return <p class="muted empty">{t("labels.none")}</p>;
  return (
    <>
      {labels.map((label) => (
        <label key={label.id} class="check">
          <input
            type="checkbox"
            checked={given.includes(label.id)}
            onChange={(event) => onToggle(label, event.currentTarget.checked)}
          />
          <span class="label-dot" style={{ "--label": label.colour }} />
          <span dir="auto">{label.name}</span>
        </label>
      ))}
    </>
  );
}
