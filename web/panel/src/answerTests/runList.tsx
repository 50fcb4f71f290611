/** The latest runs of a site's answer tests. */

import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { FetchError } from "../components/fetchError";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { describeTotals } from "./runDialog";
import { isActive, RUNS, type TestRun } from "./tests";

const SHOWN = 5;

export function RunList({ siteId, onShow }: { siteId: number; onShow: (run: TestRun) => void }) {
  const fetched = useFetch(`answer-test-runs/${siteId}`, async () => {
    return (await api.get(RUNS, { path: { site_id: siteId }, query: { limit: SHOWN } })).runs;
  });
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value?.length) return null;
  return (
    <section aria-label={t("answerTests.runs")}>
      <h3>{t("answerTests.runs")}</h3>
      <ul class="knowledge-list">
        {fetched.value.map((run) => (
          <li key={run.id}>
            <div>
              <button type="button" class="text-button" onClick={() => onShow(run)}>
                {formatTimeOrDate(run.created_at)} · {run.created_by.name}
              </button>
              <p>{describeRun(run)}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function describeRun(run: TestRun): string {
  const parts = [
    run.passed ? t("answerTests.passed") : t(`answerTests.state_${run.state}`),
    run.summary && describeTotals(run.summary.candidate),
    isActive(run) && t("answerTests.progress", { done: run.done, total: run.total }),
    run.is_live ? t("answerTests.ofLive") : t("answerTests.ofCandidate"),
    run.pending_changes && t("answerTests.withPending"),
  ];
  return parts.filter(Boolean).join(" · ");
}
