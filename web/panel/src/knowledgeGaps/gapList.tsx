/** What visitors have asked and the assistant could not answer, grouped by meaning. */

import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { NamedButton } from "../components/namedButton";
import { runWithToast } from "../components/toasts";
import { CorrectionList } from "../corrections/correctionList";
import { formatRelative } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { GapDialog } from "./gapDialog";
import { GAP, GAPS, type Gap, type GapState, STATES } from "./gaps";

const PAGE_SIZE = 50;

export function GapList({ siteId }: { siteId: number }) {
  const state = useSignal<GapState>("open");
  const shown = useSignal<Gap | null>(null);
  const path = { site_id: siteId };
  const fetched = usePagedFetch(`knowledge-gaps/${siteId}/${state.value}`, async (cursor) => {
    const page = await api.get(GAPS, { path, query: { state: state.value, limit: PAGE_SIZE, cursor } });
    return { items: page.gaps, nextCursor: page.next_cursor };
  });
  const change = async (gap: Gap, body: { state: GapState }) => {
    const save = () => api.put(GAP, { path: { ...path, gap_id: gap.id }, body });
    if (await runWithToast(save, t(`gaps.now_${body.state}`))) void fetched.reload();
  };
  return (
    <div class="stack">
      <div class="form-row">
        <p class="muted">{t("gaps.hint")}</p>
        <span class="grow" />
        <div class="segmented" role="group" aria-label={t("gaps.show")}>
          {STATES.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={state.value === name}
              onClick={() => (state.value = name)}
            >
              {t(`gaps.state_${name}`)}
            </button>
          ))}
        </div>
      </div>
      {fetched.error && <FetchError fetched={fetched} />}
      {!fetched.error && !fetched.items && <Spinner />}
      {fetched.items?.length === 0 && (
        <EmptyState icon="done" title={t("gaps.none")}>
          {t("gaps.noneText")}
        </EmptyState>
      )}
      <ul class="knowledge-list">
        {fetched.items?.map((gap) => (
          <li key={gap.id}>
            <div>
              <strong dir="auto">{gap.question}</strong>
              <p>{describeGap(gap)}</p>
            </div>
            <NamedButton
              text={gap.state === "open" ? t("gaps.makeEntry") : t("gaps.details")}
              name={gap.question}
              onClick={() => (shown.value = gap)}
            />
            <NamedButton
              text={gap.state === "open" ? t("gaps.dismiss") : t("gaps.reopen")}
              name={gap.question}
              onClick={() => change(gap, { state: gap.state === "open" ? "dismissed" : "open" })}
            />
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
      <CorrectionList siteId={siteId} />
      {shown.value && (
        <GapDialog
          siteId={siteId}
          gap={shown.value}
          onClose={() => (shown.value = null)}
          onAnswered={() => {
            shown.value = null;
            void fetched.reload();
          }}
        />
      )}
    </div>
  );
}

function describeGap(gap: Gap): string {
  const parts = [
    t("gaps.asked", { count: gap.count }),
    t("gaps.lastAsked", { time: formatRelative(gap.last_asked_at) }),
    gap.languages.join(", "),
    gap.state === "open" && gap.reopened_at && t("gaps.again"),
  ];
  return parts.filter(Boolean).join(" · ");
}
