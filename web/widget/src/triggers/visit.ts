/** The visitor's visits to the site, and what they were shown: in the browser, once the site has triggers. */
import { readJson, readText, writeJson } from "../../../shared/storage";
import { storageKey } from "../embedConfig";

/** A visit ends when the visitor was away for this time, on all pages of the site. */
const MAX_PAUSE_MS = 30 * 60_000;
const WRITE_INTERVAL_MS = 30_000;

export interface Visit {
  /** How many visits there were, this one included. */
  count: number;
  startedAt: number;
  /** When the visitor was here last. */
  at: number;
  /** When each trigger was shown last, by its id. */
  shown: Record<string, number>;
  /** Whether the visitor has dismissed a trigger, or opened the chat at one: no more in this visit. */
  isDone: boolean;
  /** The server is not asked again before. */
  retryAt: number;
}

/** The present visit. Called while the visitor is there, it keeps the visit from ending. */
export function currentVisit(siteKey: string): Visit {
  const now = Date.now();
  const known = readText(storageKey(siteKey, "known")) !== null;
  const first: Visit = { count: known ? 1 : 0, startedAt: 0, at: 0, shown: {}, isDone: false, retryAt: 0 };
  let visit = readJson<Visit>(visitKey(siteKey), first);
  if (now - visit.at > MAX_PAUSE_MS)
    visit = { ...visit, count: visit.count + 1, startedAt: now, isDone: false };
  if (now - visit.at > WRITE_INTERVAL_MS) writeVisit(siteKey, { ...visit, at: now });
  return visit;
}

export const writeVisit = (siteKey: string, visit: Visit): void => writeJson(visitKey(siteKey), visit);

const visitKey = (siteKey: string): string => storageKey(siteKey, "visit");
