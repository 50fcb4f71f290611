/** Asks before a form with unsaved changes is left: by a link, the keyboard, the browser's buttons, or a reload. */

import { useLayoutEffect } from "preact/hooks";
import { confirmAction } from "../components/toasts";
import { t } from "../i18n/i18n";

const unsavedForms = new Set<object>();

export const hasUnsavedChanges = (): boolean => unsavedForms.size > 0;

/** Guards a form while it is on the screen and differs from what is stored. */
export function useUnsavedChanges(isChanged: boolean): void {
  // Not after the next frame: what is typed last counts too.
  useLayoutEffect(() => {
    if (!isChanged) return undefined;
    const form = {};
    unsavedForms.add(form);
    return () => unsavedForms.delete(form) && undefined;
  }, [isChanged]);
}

/** Asks whether to leave. Resolves with true immediately when nothing is unsaved. */
export async function confirmLeaving(): Promise<boolean> {
  if (!hasUnsavedChanges()) return true;
  const leaves = await confirmAction({
    title: t("navigation.leaveTitle"),
    text: t("navigation.leaveText"),
    confirmLabel: t("navigation.discard"),
    destructive: true,
  });
  if (leaves) unsavedForms.clear();
  return leaves;
}

addEventListener("beforeunload", (event) => {
  if (hasUnsavedChanges()) event.preventDefault();
});
