/** Whether a page meets the conditions of a trigger. */
import type { ResponseBody } from "../../../shared/apiTypes";
import { matchesPage } from "../../../shared/pagePattern";
import type { Visit } from "./visit";

export type Rule = ResponseBody<"get", "/chat/triggers">["triggers"][number];

const HOUR_MS = 3_600_000;

/** What the visitor does on the page. */
export interface PageActivity {
  url: string;
  /** How long the page was visible. */
  seconds: number;
  scrollPercent: number;
  /** Whether the pointer is leaving the page at its top just now. */
  isLeaving: boolean;
}

export const meetsPage = (rule: Rule, { url, seconds, scrollPercent, isLeaving }: PageActivity): boolean =>
  seconds >= rule.seconds &&
  scrollPercent >= rule.scroll_percent &&
  (isLeaving || !rule.exit_intent) &&
  (!rule.include_pages.length || rule.include_pages.some((pattern) => matchesPage(url, pattern))) &&
  !rule.exclude_pages.some((pattern) => matchesPage(url, pattern));

export function meetsVisit(rule: Rule, visit: Visit, language: string): boolean {
  if (rule.visitors !== "all" && (rule.visitors === "new") !== visit.count < 2) return false;
  if (rule.languages.length && !rule.languages.includes(language.split("-")[0]?.toLowerCase() ?? ""))
    return false;
  const shownAt = visit.shown[rule.id];
  if (shownAt === undefined) return true;
  if (rule.frequency === "visit") return shownAt < visit.startedAt;
  return rule.frequency === "interval" && Date.now() - shownAt >= rule.interval_hours * HOUR_MS;
}
