/** Ends the session, after a question when messages of the operator are not sent yet. */
import { confirmAction } from "../components/toasts";
import { countUnsent } from "../composer/outbox";
import { t } from "../i18n/i18n";
import { me, session } from "./session";

export async function logOut(): Promise<void> {
  const unsent = me.value ? countUnsent(me.value.id, false) : 0;
  const options = {
    title: t("navigation.logOutTitle"),
    text: t("navigation.unsent", { count: unsent }),
    confirmLabel: t("navigation.logOut"),
  };
  if (unsent && !(await confirmAction(options))) return;
  await session.logOut();
}
