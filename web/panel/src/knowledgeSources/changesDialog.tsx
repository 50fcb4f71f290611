/** What a change of a document changes, section by section, to be approved or rejected. */

import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Dialog, DialogActions } from "../components/dialog";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { DOCUMENT } from "./sources";

interface ChangesDialogProps {
  path: { site_id: number; source_id: number; document_id: number };
  onClose: () => void;
  onDecided: () => void;
}

export function ChangesDialog({ path, onClose, onDecided }: ChangesDialogProps) {
  const fetched = useFetch(`knowledge-changes/${path.document_id}`, async () => {
    return (await api.get(`${DOCUMENT}/changes`, { path })).changes;
  });
  const approve = async () => {
    if (await runWithToast(() => api.post(`${DOCUMENT}/approve`, { path }), t("sources.approved")))
      onDecided();
  };
  const reject = async () => {
    if (await runWithToast(() => api.post(`${DOCUMENT}/reject`, { path }), t("sources.rejected")))
      onDecided();
  };
  return (
    <Dialog title={t("sources.changesTitle")} onClose={onClose} wide>
      {fetched.error && <FetchError fetched={fetched} />}
      {!fetched.value && !fetched.error && <Spinner />}
      {fetched.value?.map((change, index) => (
        <section key={index} class="document-change">
          <h3 dir="auto">{[t(`sources.change_${change.kind}`), ...change.heading].join(" · ")}</h3>
          {change.lines.map((line, number) => (
            <p key={number} dir="auto" class={lineClass(line)}>
              {line}
            </p>
          ))}
        </section>
      ))}
      <DialogActions onCancel={onClose}>
        <button type="button" class="button" onClick={reject}>
          {t("sources.reject")}
        </button>
        <button type="button" class="button primary" onClick={approve}>
          {t("sources.approve")}
        </button>
      </DialogActions>
    </Dialog>
  );
}

const lineClass = (line: string): string =>
  line.startsWith("+") ? "line-added" : line.startsWith("-") ? "line-removed" : "";
