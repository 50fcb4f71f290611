/** Short messages about what succeeded or failed, with what can be done next, and confirmations of actions. */
import { signal } from "@preact/signals";
import { errorMessage } from "../api/client";
import { LoggedOut } from "../session/session";

const MAX_TOASTS = 4;
const SUCCESS_MS = 4000;
const ERROR_MS = 8000;
/** Time to read the text, and to reach the button. */
const ACTION_MS = 10_000;

interface ToastAction {
  label: string;
  run: () => void;
}

interface Toast {
  id: number;
  tone: "success" | "error";
  text: string;
  action?: ToastAction | undefined;
}

export const toasts = signal<Toast[]>([]);
let nextId = 1;

export function showToast(text: string, tone: Toast["tone"] = "success", action?: ToastAction): void {
  const id = nextId++;
  toasts.value = [...toasts.value.slice(1 - MAX_TOASTS), { id, tone, text, action }];
  setTimeout(() => dismissToast(id), action ? ACTION_MS : tone === "error" ? ERROR_MS : SUCCESS_MS);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Runs an action and shows its error, or `successText`. Returns whether it succeeded. */
export async function runWithToast(action: () => Promise<unknown>, successText?: string): Promise<boolean> {
  try {
    await action();
    if (successText) showToast(successText);
    return true;
  } catch (error) {
    if (!(error instanceof LoggedOut)) showToast(errorMessage(error), "error");
    return false;
  }
}

interface ConfirmOptions {
  title: string;
  text: string;
  confirmLabel: string;
  destructive?: boolean;
}

interface PendingConfirmation extends ConfirmOptions {
  resolve: (confirmed: boolean) => void;
}

export const pendingConfirmation = signal<PendingConfirmation | null>(null);

/** Asks before an action. Resolves with whether the operator confirmed it. */
export function confirmAction(options: ConfirmOptions): Promise<boolean> {
  return new Promise((resolve) => {
    pendingConfirmation.value = {
      ...options,
      resolve: (confirmed) => {
        pendingConfirmation.value = null;
        resolve(confirmed);
      },
    };
  });
}
