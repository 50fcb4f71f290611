/** Dates, numbers and durations as people read them, in the panel's language. */
import { computed } from "@preact/signals";
import { locale, t } from "./i18n";

const dateFormat = (options: Intl.DateTimeFormatOptions) =>
  computed(() => new Intl.DateTimeFormat(locale.value, options));

const time = dateFormat({ hour: "2-digit", minute: "2-digit" });
const shortDate = dateFormat({ day: "numeric", month: "short" });
const fullDay = dateFormat({ weekday: "long", day: "numeric", month: "long" });
const dateTime = dateFormat({ dateStyle: "medium", timeStyle: "medium" });
const weekdays = {
  long: dateFormat({ weekday: "long", timeZone: "UTC" }),
  short: dateFormat({ weekday: "short", timeZone: "UTC" }),
};
const relative = computed(() => new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" }));
const list = computed(() => new Intl.ListFormat(locale.value));

export const formatTime = (iso: string): string => time.value.format(new Date(iso));
export const formatDate = (at: Date | number): string => shortDate.value.format(at);
export const formatDateTime = (iso: string): string => dateTime.value.format(new Date(iso));
export const formatNumber = (value: number, options?: Intl.NumberFormatOptions): string =>
  new Intl.NumberFormat(locale.value, options).format(value);
/** An amount of a currency (ISO 4217), with enough digits for the cost of a question. */
export function formatCost(amount: number, currency: string): string {
  const size = Math.abs(amount);
  // With four digits, it would look as if nothing was paid.
  const tiny = size > 0 && size < 0.0001;
  const digits = tiny ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: size < 1 ? 4 : 2 };
  return formatNumber(amount, { style: "currency", currency, ...digits });
}
/** A Monday, to name the days of the week. */
const MONDAY_MS = Date.UTC(2024, 0, 1);

/** "Monday" or "Mon" for 0, "Sunday" for 6. */
export const formatWeekday = (index: number, style: "long" | "short" = "long"): string =>
  weekdays[style].value.format(MONDAY_MS + index * 86_400_000);
/** "a, b and c". */
export const formatList = (items: readonly string[]): string => list.value.format(items);

/** "14:02" for today, "3 May" for an earlier day. */
export function formatTimeOrDate(iso: string): string {
  const at = new Date(iso);
  return isSameDay(at, new Date()) ? time.value.format(at) : formatDate(at);
}

/** "Today", "Yesterday", or the full day: the heading above a day's messages. */
export function formatDay(iso: string): string {
  const at = new Date(iso);
  const day = new Date();
  if (isSameDay(at, day)) return t("time.today");
  day.setDate(day.getDate() - 1);
  return isSameDay(at, day) ? t("time.yesterday") : fullDay.value.format(at);
}

export function isSameDay(a: Date | string, b: Date | string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

const RELATIVE_UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** "3 minutes ago", "tomorrow", "in 2 hours". */
export function formatRelative(at: Date | number | string, now = Date.now()): string {
  const ms = new Date(at).getTime() - now;
  const [unit, unitMs] = RELATIVE_UNITS.find(([, size]) => Math.abs(ms) >= size) ?? ["second", 1000];
  return relative.value.format(Math.trunc(ms / unitMs), unit);
}

/** "45 s", "3 min", "2 h 10 min", "4 d". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return t("time.seconds", { seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("time.minutes", { minutes });
  const hours = Math.floor(minutes / 60);
  const restMinutes = minutes % 60;
  if (hours >= 24) return t("time.days", { days: Math.floor(hours / 24) });
  return restMinutes ? t("time.hoursMinutes", { hours, minutes: restMinutes }) : t("time.hours", { hours });
}
