/** Saved views: what they show, how many conversations that is, and the one that the inbox shows. */
import { signal } from "@preact/signals";
import type { LiveEvent, SavedView, ViewCount } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import {
  activeTab,
  type InboxFilter,
  inboxFilter,
  NO_FILTER,
  searchText,
  siteFilter,
} from "../inbox/conversations";
import { navigate } from "../navigation/route";

/** Events come in bursts: the counts are fetched once for those of this time. */
const COUNT_DELAY_MS = 2000;

export const views = signal<readonly SavedView[]>([]);
export const viewCounts = signal<ReadonlyMap<number, ViewCount>>(new Map());
export const activeView = signal<number | null>(null);

/** Fetches the views and their counts. Throws ApiError, LoggedOut. */
export async function loadViews(): Promise<void> {
  views.value = await fetchAllPages(async (cursor) => {
    const page = await api.get("/views", { query: { limit: 100, cursor } });
    return { items: page.views, nextCursor: page.next_cursor };
  });
  await loadCounts();
}

/** Removes the views of the operator who logs out, and what the inbox is filtered by. */
export function clearViews(): void {
  views.value = [];
  viewCounts.value = new Map();
  clearFilter();
}

async function loadCounts(): Promise<void> {
  if (views.value.length === 0) return;
  const { counts } = await api.get("/views/counts");
  viewCounts.value = new Map(counts.map((count) => [count.id, count]));
}

let isCounting = false;

/** Counts again soon, after an event that may have changed what a view shows. */
export function refreshCounts(event: LiveEvent): void {
  const mayChange = event.type.startsWith("conversation.") || event.type === "message.created";
  if (!mayChange || views.value.length === 0 || isCounting) return;
  isCounting = true;
  setTimeout(countWhenVisible, COUNT_DELAY_MS);
}

/** Fetches the counts now, or, in a hidden tab, when the operator looks at it again. */
function countWhenVisible(): void {
  if (document.visibilityState !== "visible") {
    document.addEventListener("visibilitychange", countWhenVisible, { once: true });
    return;
  }
  isCounting = false;
  // Without an answer the next event counts again.
  loadCounts().catch(() => undefined);
}

const MODES: Record<string, "pending" | "operator" | "ai"> = {
  pending: "pending",
  active: "operator",
  ai: "ai",
};
const STATUSES = { pending: "pending", operator: "active", ai: "ai", closed: "closed" } as const;

/** Shows what a view names in the inbox. */
export function applyView(view: SavedView): void {
  const { status, site_id: siteId, search, ...fields } = view.filter;
  const modes = status === "snoozed" ? null : status.split(",").map((name) => MODES[name] ?? "pending");
  activeView.value = view.id;
  siteFilter.value = siteId ?? undefined;
  searchText.value = search ?? "";
  inboxFilter.value = { ...NO_FILTER, ...fields, modes };
  activeTab.value = status === "snoozed" ? "snoozed" : "all";
}

/** Opens a view: one of closed conversations in the archive, any other in the inbox. */
export function openView(view: SavedView): void {
  if (view.filter.status === "closed") {
    navigate("archive", view.id);
    return;
  }
  applyView(view);
  navigate("chats");
}

export function clearFilter(): void {
  activeView.value = null;
  siteFilter.value = undefined;
  searchText.value = "";
  inboxFilter.value = NO_FILTER;
}

/** Changes the filter by hand: what is shown is no saved view any more. */
export function changeFilter(changed: Partial<InboxFilter>): void {
  activeView.value = null;
  inboxFilter.value = { ...inboxFilter.value, ...changed };
}

/** What the inbox shows, as the filter of a view. */
export function currentFilter(): SavedView["filter"] {
  const { modes, ...fields } = inboxFilter.value;
  const shown =
    modes ??
    (activeTab.value === "waiting" ? ["pending" as const] : ["pending" as const, "operator" as const]);
  const status = activeTab.value === "snoozed" ? "snoozed" : shown.map((mode) => STATUSES[mode]).join(",");
  return { ...fields, status, site_id: siteFilter.value ?? null, search: searchText.value.trim() || null };
}
