/** What appears above every page: toasts and confirmations. */

import { t } from "../i18n/i18n";
import { IconButton } from "./controls";
import { Dialog, DialogActions } from "./dialog";
import { Icon } from "./icon";
import { dismissToast, pendingConfirmation, toasts } from "./toasts";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`}>
          <Icon name={toast.tone === "error" ? "info" : "done"} />
          <span dir="auto">{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              class="toast-action"
              onClick={() => {
                dismissToast(toast.id);
                toast.action?.run();
              }}
            >
              {toast.action.label}
            </button>
          )}
          <IconButton icon="close" label={t("common.dismiss")} onClick={() => dismissToast(toast.id)} />
        </div>
      ))}
    </div>
  );
}

export function ConfirmDialog() {
  const pending = pendingConfirmation.value;
  if (!pending) return null;
  const cancel = () => pending.resolve(false);
  return (
    <Dialog title={pending.title} onClose={cancel}>
      <p dir="auto">{pending.text}</p>
      <DialogActions onCancel={cancel}>
        <button
          type="button"
          class={pending.destructive ? "button danger" : "button primary"}
          data-initial-focus
          onClick={() => pending.resolve(true)}
        >
          {pending.confirmLabel}
        </button>
      </DialogActions>
    </Dialog>
  );
}
