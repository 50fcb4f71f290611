/** A modal dialog. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n/i18n";
import { IconButton } from "./controls";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

/** Uses the browser's own dialog element, which keeps the focus inside and returns it when it closes. */
export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    // Not the ✕, which comes first.
    dialog?.querySelector<HTMLElement>("[data-initial-focus]")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === element.current && onClose()}
    >
      <div class="dialog-content">
        <header class="dialog-header">
          <h2>{title}</h2>
          <IconButton icon="close" label={t("common.close")} onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface DialogActionsProps {
  onCancel: () => void;
  children: ComponentChildren;
  /** Whether closing the dialog ends nothing that could be cancelled. */
  onlyCloses?: boolean;
}

/** The row of buttons at the end of a dialog: Cancel or Close, then the dialog's own. */
export function DialogActions({ onCancel, children, onlyCloses }: DialogActionsProps) {
  return (
    <div class="dialog-actions">
      <button type="button" class="button" onClick={onCancel}>
        {onlyCloses ? t("common.close") : t("common.cancel")}
      </button>
      {children}
    </div>
  );
}
