/** Dates and durations as people read them, in the browser's language. */

const timeFormat = /* @__PURE__ */ new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dateFormat = /* @__PURE__ */ new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayFormat = /* @__PURE__ */ new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const dateTimeFormat = /* @__PURE__ */ new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});

export const formatTime = (iso: string): string => timeFormat.format(new Date(iso));
export const formatDate = (at: Date | number): string => dateFormat.format(at);
export const formatDateTime = (iso: string): string => dateTimeFormat.format(new Date(iso));

/** "14:02" for today, "3 May" for an earlier day. */
export function formatTimeOrDate(iso: string): string {
  const at = new Date(iso);
  return isSameDay(at, new Date()) ? timeFormat.format(at) : formatDate(at);
}

/** "Today", "Yesterday", or the full day: the heading above a day's messages. */
export function formatDay(iso: string): string {
  const at = new Date(iso);
  const day = new Date();
  if (isSameDay(at, day)) return "Today";
  day.setDate(day.getDate() - 1);
  return isSameDay(at, day) ? "Yesterday" : dayFormat.format(at);
}

export function isSameDay(a: Date | string, b: Date | string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** "45 s", "3 min", "2 h 10 min", "4 d". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}
