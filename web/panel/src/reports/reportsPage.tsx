/** Reports: key figures of a period against the one before, charts with the tables behind them, and exports. */
import { useSignal } from "@preact/signals";
import { saveFile } from "../../../shared/saveFile";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { useActions } from "../commands/registry";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { runWithToast } from "../components/toasts";
import type { TextKey } from "../i18n/catalogues";
import { formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { managedSites } from "../sites/sites";
import { Chart, HeatMap, HeatMapTable } from "./charts";
import {
  changeOf,
  FIGURE_NAMES,
  FIGURES,
  type FigureName,
  formatFigure,
  GROUPS,
  type GroupBy,
  type Report,
  rowTitle,
} from "./figures";
import { isValidPeriod, type Period, PRESETS, type Preset, presetPeriod } from "./periods";
import "./reports.css";

const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const REASONS: [string, TextKey][] = [
  ["asked", "reports.reason_asked"],
  ["ai_does_not_know", "reports.reason_ai_does_not_know"],
  ["ai_failed", "reports.reason_ai_failed"],
  ["ai_cap", "reports.reason_ai_cap"],
  ["ai_blocked", "reports.reason_ai_blocked"],
  ["taken_over", "reports.reason_taken_over"],
  ["offline_form", "reports.reason_offline_form"],
  ["other", "reports.reason_unknown"],
];

export function ReportsPage() {
  const preset = useSignal<Preset | "custom">("month");
  const period = useSignal<Period>(presetPeriod("month", new Date()));
  const siteId = useSignal<number | null>(null);
  const groupBy = useSignal<GroupBy>("day");
  const query = { ...period.value, site_id: siteId.value, timezone: TIME_ZONE };
  const key = `${query.from}/${query.to}/${query.site_id}`;
  const valid = isValidPeriod(period.value);
  const report = useFetch(`${key}/${groupBy.value}`, async () =>
    valid ? await api.get("/reports", { query: { ...query, group_by: groupBy.value } }) : undefined,
  );
  const week = useFetch(`${key}/week`, async () =>
    valid ? await api.get("/reports", { query: { ...query, group_by: "weekday_hour" } }) : undefined,
  );

  const choosePreset = (name: string) => {
    preset.value = name as Preset | "custom";
    if (preset.value !== "custom") period.value = presetPeriod(preset.value, new Date());
  };
  const changeDay = (change: Partial<Period>) => {
    preset.value = "custom";
    period.value = { ...period.value, ...change };
  };
  const download = (format: "csv" | "json") =>
    runWithToast(async () => {
      const exported = { ...query, group_by: groupBy.value, format };
      const file = await api.download("/reports/export", exported);
      saveFile(file, `report-${groupBy.value}-${query.from}-${query.to}.${format}`);
    });
  useActions(() => ({ "report.export": valid && (() => void download("csv")) }), [valid, key, groupBy.value]);

  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("reports.title")}</h1>
        <span class="grow" />
        <button type="button" class="button" disabled={!valid} onClick={() => download("csv")}>
          {t("reports.exportCsv")}
        </button>
        <button type="button" class="button" disabled={!valid} onClick={() => download("json")}>
          {t("reports.exportJson")}
        </button>
      </header>
      <div class="report-filters" role="group" aria-label={t("reports.filters")}>
        <select
          aria-label={t("reports.period")}
          value={preset.value}
          onChange={(event) => choosePreset(event.currentTarget.value)}
        >
          {Object.entries(PRESETS).map(([name, title]) => (
            <option key={name} value={name}>
              {t(title)}
            </option>
          ))}
          <option value="custom">{t("reports.preset_custom")}</option>
        </select>
        <input
          type="date"
          aria-label={t("reports.from")}
          value={period.value.from}
          onChange={(event) => changeDay({ from: event.currentTarget.value })}
        />
        <input
          type="date"
          aria-label={t("reports.to")}
          value={period.value.to}
          onChange={(event) => changeDay({ to: event.currentTarget.value })}
        />
        <select
          aria-label={t("reports.site")}
          value={siteId.value ?? ""}
          onChange={(event) => (siteId.value = Number(event.currentTarget.value) || null)}
        >
          <option value="">{t("reports.allSites")}</option>
          {managedSites.value.map((site) => (
            <option key={site.id} value={site.id}>
              {site.name}
            </option>
          ))}
        </select>
        <select
          aria-label={t("reports.groupBy")}
          value={groupBy.value}
          onChange={(event) => (groupBy.value = event.currentTarget.value as GroupBy)}
        >
          {Object.entries(GROUPS).map(([name, title]) => (
            <option key={name} value={name}>
              {t(title as TextKey)}
            </option>
          ))}
        </select>
      </div>
      {!valid ? (
        <p class="error-text" role="alert">
          {t("reports.invalidPeriod")}
        </p>
      ) : report.error ? (
        <FetchError fetched={report} />
      ) : !report.value ? (
        <Spinner />
      ) : report.value.totals.chats === 0 ? (
        <EmptyState icon="chart" title={t("reports.emptyTitle")}>
          {t("reports.emptyText")}
        </EmptyState>
      ) : (
        <>
          <KeyFigures report={report.value} />
          <GroupedCard report={report.value} />
          <div class="report-pair">
            <Reasons report={report.value} />
            <Scores report={report.value} />
          </div>
          {week.value && (
            <section class="card">
              <h2>{t("reports.heatMap")}</h2>
              <HeatMap rows={week.value.rows} />
              <details>
                <summary>{t("reports.table")}</summary>
                <HeatMapTable rows={week.value.rows} />
              </details>
            </section>
          )}
        </>
      )}
    </main>
  );
}

function KeyFigures({ report }: { report: Report }) {
  return (
    <section class="report-figures" aria-label={t("reports.keyFigures")}>
      {FIGURE_NAMES.map((name) => (
        <div key={name} class="card">
          <p class="muted">{t(FIGURES[name].title)}</p>
          <p class="report-figure">{formatFigure(name, report.totals)}</p>
          <Change name={name} report={report} />
        </div>
      ))}
    </section>
  );
}

/** The change against the period before. Its direction is in the text, not only in the colour. */
function Change({ name, report }: { name: FigureName; report: Report }) {
  const change = changeOf(name, report);
  if (change === null) return <p class="muted">{t("reports.noComparison")}</p>;
  const better = Math.sign(change) * FIGURES[name].better;
  const tone = better > 0 ? "report-better" : better < 0 ? "report-worse" : "muted";
  const percent = formatNumber(change, {
    style: "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: 0,
  });
  return (
    <p class={tone} title={t("reports.before", { value: formatFigure(name, report.previous) })}>
      {t("reports.change", { percent })}
    </p>
  );
}

function GroupedCard({ report }: { report: Report }) {
  const figure = useSignal<FigureName>("chats");
  return (
    <section class="card">
      <div class="report-card-header">
        <h2>{t(GROUPS[report.group_by] ?? "reports.title")}</h2>
        <select
          aria-label={t("reports.figure")}
          value={figure.value}
          onChange={(event) => (figure.value = event.currentTarget.value as FigureName)}
        >
          {FIGURE_NAMES.map((name) => (
            <option key={name} value={name}>
              {t(FIGURES[name].title)}
            </option>
          ))}
        </select>
      </div>
      <Chart groupBy={report.group_by} figure={figure.value} rows={report.rows} />
      <details>
        <summary>{t("reports.table")}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone. */}
        <div class="scroll-x" tabIndex={0} role="region" aria-label={t("reports.table")}>
          <table class="report-table">
            <thead>
              <tr>
                <th scope="col">{t(GROUPS[report.group_by] ?? "reports.title")}</th>
                {FIGURE_NAMES.map((name) => (
                  <th key={name} scope="col">
                    {t(FIGURES[name].title)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {report.rows.map((row) => (
                <tr key={row.key}>
                  <th scope="row" dir="auto">
                    {rowTitle(report.group_by, row)}
                  </th>
                  {FIGURE_NAMES.map((name) => (
                    <td key={name}>{formatFigure(name, row)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

function Reasons({ report }: { report: Report }) {
  const reasons = report.totals.handoff_reasons;
  return (
    <section class="card">
      <h2>{t("reports.reasons")}</h2>
      <CountTable
        title={t("reports.reason")}
        rows={REASONS.map(([reason, name]) => [t(name), reasons[reason] ?? 0])}
      />
    </section>
  );
}

function Scores({ report }: { report: Report }) {
  const scores = report.totals.ratings.by_score;
  return (
    <section class="card">
      <h2>{t("reports.ratings")}</h2>
      <CountTable
        title={t("reports.score")}
        rows={["5", "4", "3", "2", "1"].map((score) => [
          t("reports.stars", { count: Number(score) }),
          scores[score] ?? 0,
        ])}
      />
    </section>
  );
}

/** Counts with a bar for each share of them. */
function CountTable({ title, rows }: { title: string; rows: [string, number][] }) {
  const total = rows.reduce((sum, [, times]) => sum + times, 0) || 1;
  return (
    <table class="report-table">
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">{t("reports.chats")}</th>
          <th scope="col">{t("reports.share")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, times]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{formatNumber(times)}</td>
            <td>
              <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" class="report-share">
                <rect width="100" height="8" class="chart-back" />
                <rect width={(100 * times) / total} height="8" class="chart-bar" />
              </svg>
              {formatNumber(times / total, { style: "percent", maximumFractionDigits: 0 })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
