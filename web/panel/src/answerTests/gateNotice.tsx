/** On a site that demands answer tests: what goes live without them, next to where it is changed. */

import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { t } from "../i18n/i18n";
import { RunDialog } from "./runDialog";

export function GateNotice({ siteId }: { siteId: number }) {
  const fetched = useFetch(`gate/${siteId}`, () =>
    api.get("/sites/{site_id}/chatbot", { path: { site_id: siteId } }),
  );
  const running = useSignal(false);
  if (!fetched.value?.chatbot.require_answer_tests) return null;
  return (
    <div class="notice form-row" role="note">
      <span>{t("answerTests.gateScope")}</span>
      <span class="grow" />
      <button type="button" class="button" onClick={() => (running.value = true)}>
        {t("answerTests.run")}
      </button>
      {running.value && <RunDialog siteId={siteId} run={null} onClose={() => (running.value = false)} />}
    </div>
  );
}
