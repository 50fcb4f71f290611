/** How visitors see a site's forms, without anything that could be used. */
import { useSignal } from "@preact/signals";
import type { SiteForms } from "../../../shared/apiTypes";
import { MarkdownText } from "../../../shared/components";
import { t } from "../i18n/i18n";
import { isContact, type Question } from "./questionsEditor";

export function FormPreview({ forms }: { forms: SiteForms }) {
  const kind = useSignal<"prechat" | "offline">("prechat");
  const form = forms[kind.value];
  const { consent, departments } = forms;
  return (
    <aside class="form-preview" aria-label={t("forms.preview")}>
      <nav class="tabs" aria-label={t("forms.preview")}>
        {(["prechat", "offline"] as const).map((one) => (
          <button
            key={one}
            type="button"
            class="tab"
            aria-pressed={one === kind.value}
            onClick={() => (kind.value = one)}
          >
            {t(`forms.${one}`)}
          </button>
        ))}
      </nav>
      <div class="preview-card" inert>
        {form.title && <h3 dir="auto">{form.title}</h3>}
        {form.intro && <p dir="auto">{form.intro}</p>}
        {form.fields.map((field) => (
          <PreviewField key={field.key} field={field} />
        ))}
        {departments.length > 0 && (
          <Labelled label={t("forms.department")} required>
            <select>
              {departments.map(({ team_id: id, label }) => (
                <option key={id}>{label}</option>
              ))}
            </select>
          </Labelled>
        )}
        {kind.value === "offline" && (
          <Labelled label={t("forms.message")} required>
            <textarea rows={3} />
          </Labelled>
        )}
        {consent && (
          <div class="preview-check">
            <input type="checkbox" aria-label={t("forms.consent")} />
            <MarkdownText text={consent.text} />
          </div>
        )}
        <span class="button primary">
          {t(kind.value === "offline" ? "forms.sendMessage" : "forms.startChat")}
        </span>
      </div>
    </aside>
  );
}

function PreviewField({ field }: { field: Question }) {
  const label = field.label || (isContact(field.type) ? t(`forms.type_${field.type}`) : "…");
  if (field.type === "checkbox") {
    return (
      <div class="preview-check">
        <input type="checkbox" aria-label={label} />
        <span dir="auto">{label}</span>
      </div>
    );
  }
  return (
    <Labelled label={label} required={field.required}>
      {field.type === "select" ? (
        <select>
          {field.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : field.type === "long_text" ? (
        <textarea rows={3} />
      ) : (
        <input />
      )}
    </Labelled>
  );
}

interface LabelledProps {
  label: string;
  required: boolean;
  children: preact.ComponentChildren;
}

const Labelled = ({ label, required, children }: LabelledProps) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children.
  <label class="field">
    <span class="field-label" dir="auto">
      {label} {!required && <small class="muted">({t("forms.optional")})</small>}
    </span>
    {children}
  </label>
);
