/** The periods that a report can be about: whole days in the browser's time zone, both ends included. */
import type { TextKey } from "../i18n/catalogues";

export interface Period {
  /** As in "2026-01-31". */
  from: string;
  to: string;
}

export type Preset = "week" | "month" | "quarter" | "thisMonth" | "lastMonth" | "year";

export const PRESETS: Record<Preset, TextKey> = {
  week: "reports.preset_week",
  month: "reports.preset_month",
  quarter: "reports.preset_quarter",
  thisMonth: "reports.preset_thisMonth",
  lastMonth: "reports.preset_lastMonth",
  year: "reports.preset_year",
};

const DAYS: Partial<Record<Preset, number>> = { week: 7, month: 30, quarter: 90, year: 365 };
const MAX_DAYS = 400;

export function presetPeriod(preset: Preset, today: Date): Period {
  const [year, month] = [today.getFullYear(), today.getMonth()];
  if (preset === "thisMonth") return { from: isoDay(new Date(year, month, 1)), to: isoDay(today) };
  if (preset === "lastMonth")
    return { from: isoDay(new Date(year, month - 1, 1)), to: isoDay(new Date(year, month, 0)) };
  const days = DAYS[preset] ?? 1;
  return { from: isoDay(new Date(year, month, today.getDate() - days + 1)), to: isoDay(today) };
}

/** Whether the server accepts the period: its days exist, are in order, and are not too many. */
export function isValidPeriod({ from, to }: Period): boolean {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days >= 0 && days < MAX_DAYS && from >= "2000-01-01";
}

/** Midnight of a day, in the browser's time zone. */
export function parseDay(day: string): Date {
  return new Date(`${day}T00:00`);
}

function isoDay(day: Date): string {
  const pad = (value: number, length = 2) => String(value).padStart(length, "0");
  return `${pad(day.getFullYear(), 4)}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}
