/** Who is online: visitors on the sites, and the operator on each site. And who is typing. */
import { computed, effect, signal, untracked } from "@preact/signals";
import type { LiveEvent, OnlineVisitor } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import { keepChanges } from "../live/keepChanges";
import { chatSites } from "../sites/sites";

const HEARTBEAT_INTERVAL_MS = 30_000;
const TYPING_TIMEOUT_MS = 6_000;
const MAX_VISITORS = 2000;

const visitorKey = (siteId: number, sessionId: string): string => `${siteId}/${sessionId}`;

export const onlineVisitors = signal<ReadonlyMap<string, OnlineVisitor>>(new Map());
/** Whether the operator is online, by site. */
export const onlineBySite = signal<ReadonlyMap<number, boolean>>(new Map());
/** The visitor to whom the page of visitors offers to write; null without one. */
export const visitorToWriteTo = signal<OnlineVisitor | null>(null);
/** The visitors who are typing, by conversation. `until` is in epoch milliseconds. */
export const typingVisitors = signal<ReadonlyMap<number, { name: string | null; until: number }>>(new Map());

export const getOnlineVisitor = (siteId: number, sessionId: string): OnlineVisitor | undefined =>
  onlineVisitors.value.get(visitorKey(siteId, sessionId));

export async function loadOnlineVisitors(): Promise<void> {
  const before = onlineVisitors.value;
  const visitors = await fetchAllPages(async (cursor) => {
    const page = await api.get("/operator/all-online-visitors", { query: { limit: 100, cursor } });
    return { items: page.visitors, nextCursor: page.next_cursor };
  }, MAX_VISITORS);
  const fetched = visitors.map((visitor): [string, OnlineVisitor] => [
    visitorKey(visitor.site_id, visitor.session_id),
    visitor,
  ]);
  onlineVisitors.value = keepChanges(fetched, before, onlineVisitors.value);
}

export async function loadOwnStatus(): Promise<void> {
  const before = onlineBySite.value;
  const { sites } = await api.get("/operator/status");
  const fetched = sites.map((site): [number, boolean] => [site.site_id, site.online]);
  onlineBySite.value = keepChanges(fetched, before, onlineBySite.value);
}

/** Removes what was known of visitors, and of the operator who logs out. */
export function clearPresence(): void {
  onlineVisitors.value = new Map();
  typingVisitors.value = new Map();
  onlineBySite.value = new Map();
  visitorToWriteTo.value = null;
}

export async function setOnline(siteId: number, online: boolean): Promise<void> {
  await api.post("/operator/set-status", { body: { site_id: siteId, online } });
  onlineBySite.value = new Map(onlineBySite.value).set(siteId, online);
}

/** Keeps the operator online while the panel is open. Returns a function that stops it. */
export function startHeartbeat(): () => void {
  const send = () => {
    const siteIds = chatSites.value.map((site) => site.id);
    if (siteIds.length === 0) return;
    api.post("/operator/heartbeat", { body: { site_ids: siteIds } }).catch(() => undefined);
  };
  // Now, and as soon as the operator gets a site: their first visitor must not find them offline.
  const siteIds = computed(() => chatSites.value.map((site) => site.id).join());
  const stopWatching = effect(() => {
    if (siteIds.value) untracked(send);
  });
  const timer = setInterval(send, HEARTBEAT_INTERVAL_MS);
  // A computer that wakes up is online again immediately, not only at the next interval.
  const onVisible = () => document.visibilityState === "visible" && send();
  document.addEventListener("visibilitychange", onVisible);
  return () => {
    stopWatching();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", onVisible);
  };
}

/** Applies an event to who is online and who is typing. */
export function applyPresenceEvent(event: LiveEvent, myId: number | undefined): void {
  const { type, data, site_id: siteId, conversation_id: conversationId } = event;
  if (type === "visitor.online" || type === "visitor.page" || type === "visitor.offline") {
    const visitor = data["visitor"] as OnlineVisitor;
    const key = visitorKey(visitor.site_id, visitor.session_id);
    const changed = new Map(onlineVisitors.value);
    if (type === "visitor.offline") changed.delete(key);
    else changed.set(key, visitor);
    onlineVisitors.value = changed;
  } else if ((type === "operator.online" || type === "operator.offline") && data["operator_id"] === myId) {
    onlineBySite.value = new Map(onlineBySite.value).set(siteId, type === "operator.online");
  } else if (type === "typing" && data["role"] === "visitor" && conversationId) {
    showTyping(conversationId, (data["name"] as string | null) ?? null);
  } else if (type === "message.created" && data["role"] === "visitor" && conversationId) {
    clearTyping(conversationId);
  }
}

function showTyping(conversationId: number, name: string | null): void {
  const until = Date.now() + TYPING_TIMEOUT_MS;
  typingVisitors.value = new Map(typingVisitors.value).set(conversationId, { name, until });
  setTimeout(() => {
    if ((typingVisitors.value.get(conversationId)?.until ?? 0) <= Date.now()) clearTyping(conversationId);
  }, TYPING_TIMEOUT_MS + 50);
}

function clearTyping(conversationId: number): void {
  if (!typingVisitors.value.has(conversationId)) return;
  const changed = new Map(typingVisitors.value);
  changed.delete(conversationId);
  typingVisitors.value = changed;
}
