/** Sends a chat by e-mail: to the visitor's address, or another. */

import { useSignal } from "@preact/signals";
import type { Conversation } from "../../../shared/apiTypes";
import { randomId } from "../../../shared/storage";
import { api } from "../api/client";
import { Field } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { transcriptDialogFor } from "./actions";

export function TranscriptDialog({ conversation: { id, visitor } }: { conversation: Conversation }) {
  const email = useSignal(visitor.email ?? "");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const close = () => {
    transcriptDialogFor.value = null;
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = { email: email.value.trim() };
    const path = "/operator/conversation/{id}/transcript/email";
    const send = () => api.post(path, { path: { id }, body, idempotencyKey: randomId() });
    if (await submitForm(busy, errors, send, t("transcript.sent"))) close();
  };
  return (
    <Dialog title={t("conversation.sendTranscript")} onClose={close}>
      <form class="stack" onSubmit={submit}>
        <Field label={t("transcript.address")} hint={t("transcript.hint")} error={errors.value["email"]}>
          <input
            type="email"
            required
            maxLength={254}
            value={email.value}
            onInput={(event) => {
              email.value = event.currentTarget.value;
            }}
          />
        </Field>
        <DialogActions onCancel={close}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("transcript.send")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
