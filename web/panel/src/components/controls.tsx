/** Controls: buttons, switches, form fields. */

import type { ComponentChildren } from "preact";
import { t } from "../i18n/i18n";
import { Icon, type IconName } from "./icon";

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick?: (event: MouseEvent) => void;
  active?: boolean | undefined;
  disabled?: boolean;
  /** Added to the tooltip, such as a shortcut. */
  hint?: string;
  class?: string;
}

export function IconButton({ icon, label, onClick, active, disabled, hint, class: extra }: IconButtonProps) {
  return (
    <button
      type="button"
      class={`icon-button${active ? " active" : ""}${extra ? ` ${extra}` : ""}`}
      aria-label={label}
      aria-pressed={active}
      title={hint ? `${label} (${hint})` : label}
      disabled={disabled ?? false}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SwitchProps {
  on: boolean;
  label: string;
  onChange: (on: boolean) => void;
}

export function Switch({ on, label, onChange }: SwitchProps) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={on}
        aria-checked={on}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="track" aria-hidden="true" />
      <span>{label}</span>
    </label>
  );
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children.
    <label class={`field${error ? " invalid" : ""}`}>
      <span class="field-label">{label}</span>
      {children}
      {error ? (
        <span class="field-error" role="alert">
          {error}
        </span>
      ) : (
        hint && <span class="field-hint">{hint}</span>
      )}
    </label>
  );
}

/** A text to copy, with its button. */
export function CopyField({
  text,
  onCopy,
  primary,
}: {
  text: string;
  onCopy: () => void;
  primary?: boolean;
}) {
  return (
    <div class="snippet">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways. */}
      <pre tabIndex={0} dir="ltr">
        <code>{text || "…"}</code>
      </pre>
      <button type="button" class={`button${primary ? " primary" : ""}`} disabled={!text} onClick={onCopy}>
        <Icon name="copy" size={16} /> {t("common.copy")}
      </button>
    </div>
  );
}
