/** What every form does: save once at a time, show each error next to its field. */

import type { Signal } from "@preact/signals";
import { ApiError } from "../../../shared/http";
import { errorMessage } from "../api/client";
import { describeFieldError } from "../api/errorTexts";
import { t } from "../i18n/i18n";
import { LoggedOut } from "../session/session";
import { showToast } from "./toasts";

/** Runs `save` and confirms it with `successText`, or fills `errors` by field. Returns whether it succeeded. */
export async function submitForm(
  busy: Signal<boolean>,
  errors: Signal<Record<string, string>>,
  save: () => Promise<unknown>,
  successText: string,
): Promise<boolean> {
  if (busy.value) return false;
  busy.value = true;
  errors.value = {};
  try {
    await save();
    if (successText) showToast(successText);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.body.errors) {
      errors.value = Object.fromEntries(
        Object.entries(error.body.errors).map(([name, message]) => [
          name.split(".")[0],
          describeFieldError(message),
        ]),
      );
      showToast(t("common.checkFields"), "error");
    } else if (!(error instanceof LoggedOut)) {
      showToast(errorMessage(error), "error");
    }
    return false;
  } finally {
    busy.value = false;
  }
}

/** Copies a text and confirms it, as in "Snippet copied." */
export async function copyToClipboard(text: string, name: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast(t("common.copied", { name }));
  } catch {
    showToast(t("common.copyBlocked"), "error");
  }
}
