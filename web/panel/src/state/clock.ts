/** The present moment, for whatever shows how long something has lasted; and times as people read them. */
import { signal } from "@preact/signals";

export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1000);

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const everything = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const atTime = (iso: string): string => clockTime.format(new Date(iso));
export const exactly = (iso: string): string => everything.format(new Date(iso));

/** "14:02" today, "3 May" before that. */
export function briefly(iso: string): string {
  const at = new Date(iso);
  return sameDay(at, new Date()) ? clockTime.format(at) : dayAndMonth.format(at);
}

/** The heading over a day's messages. */
export function dayName(iso: string): string {
  const at = new Date(iso);
  const today = new Date();
  if (sameDay(at, today)) return "Today";
  today.setDate(today.getDate() - 1);
  return sameDay(at, today) ? "Yesterday" : fullDay.format(at);
}

export function sameDay(a: Date | string, b: Date | string): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** "45 s", "3 min", "2 h 10 min", "4 d". */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}
