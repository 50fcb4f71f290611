/** A gap with its newest questions, how it developed, and the draft of an entry that closes it. */

import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Dialog, DialogActions } from "../components/dialog";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { runWithToast } from "../components/toasts";
import { formatDate, formatNumber, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { EntryForm } from "../sites/entryForm";
import "./gaps.css";
import { GAP, type Gap, type GapDetails } from "./gaps";

interface GapDialogProps {
  siteId: number;
  gap: Gap;
  onClose: () => void;
  onAnswered: () => void;
}

export function GapDialog({ siteId, gap, onClose, onAnswered }: GapDialogProps) {
  const path = { site_id: siteId, gap_id: gap.id };
  const fetched = useFetch(`knowledge-gap/${gap.id}`, () => api.get(GAP, { path }));
  const details = fetched.value;
  const markAnswered = async () => {
    const save = () => api.put(GAP, { path, body: { state: "answered" } });
    if (await runWithToast(save, t("gaps.now_answered"))) onAnswered();
  };
  return (
    <Dialog title={t("gaps.title")} onClose={onClose} wide>
      {fetched.error && <FetchError fetched={fetched} />}
      {!fetched.error && !details && <Spinner />}
      {details && (
        <div class="stack">
          <Weeks weeks={details.weeks} />
          <section aria-label={t("gaps.examples")}>
            <h3>{t("gaps.examples")}</h3>
            <ul class="gap-examples">
              {details.examples.map((one) => (
                <li key={`${one.conversation_id}:${one.seq}`}>
                  <a href={routeHref("chats", one.conversation_id, `m${one.seq}`)} dir="auto">
                    {one.text}
                  </a>
                  <span class="muted">
                    {[formatTimeOrDate(one.at), one.language, t(`gaps.outcome_${one.outcome}`)]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </li>
              ))}
            </ul>
          </section>
          {gap.state === "open" ? (
            <EntryForm
              draft={details.draft}
              notice={details.draft.answer ? t("gaps.draftFromChat") : t("gaps.draftEmpty")}
              saveLabel={t("gaps.addEntry")}
              savedText={t("gaps.entryAdded")}
              save={(body) => api.post(`${GAP}/entry`, { path, body })}
              onCancel={onClose}
              onSaved={onAnswered}
            >
              <button type="button" class="button" onClick={markAnswered}>
                {t("gaps.markAnswered")}
              </button>
            </EntryForm>
          ) : (
            <DialogActions onCancel={onClose} onlyCloses>
              {null}
            </DialogActions>
          )}
        </div>
      )}
    </Dialog>
  );
}

/** How often it was asked in each of the last weeks, compared with all questions without an answer. */
function Weeks({ weeks }: { weeks: GapDetails["weeks"] }) {
  const highest = Math.max(1, ...weeks.map((week) => week.count));
  return (
    <table class="gap-weeks">
      <caption>{t("gaps.weeks")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("gaps.week")}</th>
          <th scope="col">{t("gaps.times")}</th>
          <th scope="col">{t("gaps.share")}</th>
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week.week}>
            <th scope="row">{formatDate(new Date(week.week))}</th>
            <td>
              <meter min={0} max={highest} value={week.count} aria-hidden="true" /> {formatNumber(week.count)}
            </td>
            <td>{formatNumber(week.count / week.total, { style: "percent", maximumFractionDigits: 0 })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
