/** The figures of a report: how each is read from a row, written, and compared. */
import type { ResponseBody } from "../../../shared/apiTypes";
import type { TextKey } from "../i18n/catalogues";
import { formatCost, formatDate, formatDuration, formatNumber, formatWeekday } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { parseDay } from "./periods";

export type Report = ResponseBody<"get", "/reports">;
type Figures = Report["totals"];
export type Row = Report["rows"][number];
export type GroupBy = Report["group_by"];

export type FigureName =
  | "chats"
  | "firstReply"
  | "wait"
  | "resolution"
  | "abandoned"
  | "aiResolved"
  | "handoffs"
  | "rating"
  | "aiTokens"
  | "aiCost"
  | "aiCostPerChat"
  | "aiCostPerResolved";

interface Figure {
  title: TextKey;
  value: (figures: Figures) => number | null;
  format: (value: number, currency: string | null) => string;
  /** Whether a higher value is better (1), worse (-1), or neither. */
  better: 1 | -1 | 0;
}

const duration = (seconds: number) => formatDuration(seconds * 1000);
const share = (value: number) => formatNumber(value, { style: "percent", maximumFractionDigits: 1 });
const count = (value: number) => formatNumber(value);
const cost = (value: number, currency: string | null) =>
  currency ? formatCost(value, currency) : formatNumber(value);

export const FIGURES: Record<FigureName, Figure> = {
  chats: { title: "reports.chats", value: (row) => row.chats, format: count, better: 0 },
  firstReply: {
    title: "reports.firstReply",
    value: (row) => row.first_reply.median_seconds,
    format: duration,
    better: -1,
  },
  wait: { title: "reports.wait", value: (row) => row.wait.median_seconds, format: duration, better: -1 },
  resolution: {
    title: "reports.resolution",
    value: (row) => row.resolution.median_seconds,
    format: duration,
    better: -1,
  },
  abandoned: { title: "reports.abandoned", value: (row) => row.abandoned_share, format: share, better: -1 },
  aiResolved: {
    title: "reports.aiResolved",
    value: (row) => row.ai_resolved_share,
    format: share,
    better: 1,
  },
  handoffs: { title: "reports.handoffs", value: (row) => row.handoffs, format: count, better: 0 },
  rating: {
    title: "reports.rating",
    value: (row) => row.ratings.average,
    format: (value) => formatNumber(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    better: 1,
  },
  aiTokens: {
    title: "reports.aiTokens",
    // The previous version of the server has no such figures.
    value: ({ ai_usage: usage }) =>
      usage?.conversations ? usage.input_tokens + usage.output_tokens + usage.embedding_tokens : null,
    format: count,
    better: 0,
  },
  aiCost: { title: "reports.aiCost", value: (row) => row.ai_usage?.cost ?? null, format: cost, better: 0 },
  aiCostPerChat: {
    title: "reports.aiCostPerChat",
    value: (row) => row.ai_usage?.cost_per_conversation ?? null,
    format: cost,
    better: -1,
  },
  aiCostPerResolved: {
    title: "reports.aiCostPerResolved",
    value: (row) => row.ai_usage?.cost_per_resolved ?? null,
    format: cost,
    better: -1,
  },
};

export const FIGURE_NAMES = Object.keys(FIGURES) as FigureName[];

/** Null also from the previous version of the server. */
export const currencyOf = (figures: Figures | undefined): string | null =>
  figures?.ai_usage?.currency ?? null;

export function formatFigure(name: FigureName, figures: Figures): string {
  const value = FIGURES[name].value(figures);
  return value === null ? "–" : FIGURES[name].format(value, currencyOf(figures));
}

/** The change against the period before, as a share of it; null if there is nothing to compare. */
export function changeOf(name: FigureName, report: Report): number | null {
  const [now, before] = [FIGURES[name].value(report.totals), FIGURES[name].value(report.previous)];
  return now === null || !before ? null : now / before - 1;
}

export const TIME_GROUPS: readonly GroupBy[] = ["day", "hour", "weekday"];

export const GROUPS: Partial<Record<GroupBy, TextKey>> = {
  day: "reports.group_day",
  hour: "reports.group_hour",
  weekday: "reports.group_weekday",
  site: "reports.group_site",
  team: "reports.group_team",
  operator: "reports.group_operator",
  label: "reports.group_label",
  engine: "reports.group_engine",
};

/** What a row is about, as people read it. */
export function rowTitle(groupBy: GroupBy, row: Pick<Row, "key" | "name" | "deleted">): string {
  switch (groupBy) {
    case "day":
      return formatDate(parseDay(row.key ?? ""));
    case "hour":
      return `${String(row.key).padStart(2, "0")}:00`;
    case "weekday":
      return formatWeekday(Number(row.key), "long");
    default:
      if (row.key === null)
        return t(`reports.without_${groupBy as "team" | "operator" | "label" | "engine"}`);
      if (row.name === null) return t("reports.deletedNumber", { number: String(row.key) });
      return row.deleted ? t("reports.deletedName", { name: row.name }) : row.name;
  }
}
