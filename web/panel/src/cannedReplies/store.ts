/** The canned replies that the operator may use, fetched when they are needed and again after a minute. */
import { signal } from "@preact/signals";
import type { CannedReply } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";

const FRESH_MS = 60_000;

export const cannedReplies = signal<CannedReply[]>([]);
let fetchedAt = 0;

/** Fetches all of them. Throws ApiError, LoggedOut. */
export async function loadCannedReplies(): Promise<void> {
  cannedReplies.value = await fetchAllPages(async (cursor) => {
    const page = await api.get("/canned-replies", { query: { limit: 100, cursor } });
    return { items: page.canned_replies, nextCursor: page.next_cursor };
  });
  fetchedAt = Date.now();
}

/** Removes those of the operator who logs out. */
export function clearCannedReplies(): void {
  cannedReplies.value = [];
  fetchedAt = 0;
}

/** Fetches them unless they are fresh. Without a connection, those that are here stay in use. */
export function refreshCannedReplies(): void {
  if (Date.now() - fetchedAt < FRESH_MS) return;
  fetchedAt = Date.now();
  loadCannedReplies().catch(() => {
    fetchedAt = 0;
  });
}

/** Those that may be used in a chat of a site. */
export function cannedRepliesOfSite(siteId: number): CannedReply[] {
  return cannedReplies.value.filter((reply) => reply.site_id === null || reply.site_id === siteId);
}

/** Counts that a reply was inserted. A count that is lost does no harm. */
export function countUse(reply: CannedReply): void {
  api.post("/canned-replies/{id}/use", { path: { id: reply.id } }).catch(() => {});
}
