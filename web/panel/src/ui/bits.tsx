/** Small parts that every screen is made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { linkify } from "../../../shared/linkify";
import { Icon, type IconName } from "./icon";

/** What somebody wrote: text, line breaks and links, never markup. */
export function Said({ text }: { text: string }) {
  return (
    <>
      {linkify(text).map((piece, index) =>
        piece.href ? (
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}

/** Two letters on a colour that is always the same for the same name. */
export function Avatar({
  name,
  online,
  small,
}: {
  name: string;
  online?: boolean | undefined;
  small?: boolean;
}) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 8191;
  // Who gave no name is told apart by the handle.
  const words = name
    .replace(/^Visitor (?=\w{4}$)/, "")
    .trim()
    .split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""]
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("");
  return (
    <span class={`avatar hue-${sum % 8}${small ? " small" : ""}`} aria-hidden="true">
      {letters.toLocaleUpperCase()}
      {online !== undefined && <span class={`presence ${online ? "on" : "off"}`} />}
    </span>
  );
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick?: (event: MouseEvent) => void;
  active?: boolean | undefined;
  disabled?: boolean;
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
  hideLabel?: boolean;
  disabled?: boolean;
}

export function Switch({ on, label, onChange, hideLabel, disabled }: SwitchProps) {
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        checked={on}
        aria-checked={on}
        disabled={disabled ?? false}
        aria-label={hideLabel ? label : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="track" aria-hidden="true" />
      {!hideLabel && <span>{label}</span>}
    </label>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={26} />
      </span>
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export const Spinner = ({ label = "Loading" }: { label?: string }) => (
  <div class="spinner" role="status">
    <span class="sr">{label}</span>
  </div>
);

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  children: ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children.
    <label class={`field${error ? " wrong" : ""}`}>
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

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

/** A dialog of the browser's own: it keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={wide ? "dialog wide" : "dialog"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === box.current && onClose()}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}
