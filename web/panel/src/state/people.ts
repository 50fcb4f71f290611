/** Who is there: visitors on the sites, colleagues online, and whether this operator is. Typing, too. */
import { signal } from "@preact/signals";
import type { LiveEvent, OnlineVisitor } from "../../../shared/views";
import { ask } from "../api/http";
import { chatting } from "./sites";

const BEAT_MS = 30_000;
const TYPING_MS = 6_000;

const keyOf = (site: number, session: string): string => `${site}/${session}`;

export const visitors = signal<ReadonlyMap<string, OnlineVisitor>>(new Map());
export const onlineOn = signal<ReadonlyMap<number, boolean>>(new Map());
export const typing = signal<ReadonlyMap<number, { name: string | null; until: number }>>(new Map());

export const visitorAt = (site: number, session: string): OnlineVisitor | undefined =>
  visitors.value.get(keyOf(site, session));

export async function loadVisitors(): Promise<void> {
  const found: OnlineVisitor[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await ask<{ visitors: OnlineVisitor[]; next_cursor?: string | null }>(
      "/operator/all-online-visitors",
      { query: { limit: 100, cursor } },
    );
    found.push(...page.visitors);
    cursor = page.next_cursor;
  } while (cursor && found.length < 1000);
  visitors.value = new Map(found.map((one) => [keyOf(one.site_id, one.session_id), one]));
}

export async function loadStatus(): Promise<void> {
  const answer = await ask<{ sites?: { site_id: number; online: boolean }[] }>("/operator/status");
  onlineOn.value = new Map((answer.sites ?? []).map((site) => [site.site_id, site.online]));
}

export async function setOnline(site: number, online: boolean): Promise<void> {
  await ask("/operator/set-status", { body: { site_id: site, online } });
  onlineOn.value = new Map(onlineOn.value).set(site, online);
}

/** Keeps the operator online for as long as the panel is open. Gives the way to stop. */
export function beat(): () => void {
  const once = () => {
    const ids = chatting.value.map((site) => site.id);
    if (ids.length) void ask("/operator/heartbeat", { body: { site_ids: ids } }).catch(() => undefined);
  };
  once();
  const timer = setInterval(once, BEAT_MS);
  // A laptop that wakes up is there again at once, not at its next beat.
  const woken = () => document.visibilityState === "visible" && once();
  document.addEventListener("visibilitychange", woken);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", woken);
  };
}

/** Lets an event change who is there. */
export function applyPresence(event: LiveEvent, myId: number | undefined): void {
  const { type, data, site_id: site } = event;
  if (type === "visitor.online" || type === "visitor.page") {
    const visitor = data["visitor"] as OnlineVisitor;
    visitors.value = new Map(visitors.value).set(keyOf(visitor.site_id, visitor.session_id), visitor);
  } else if (type === "visitor.offline") {
    const visitor = data["visitor"] as OnlineVisitor;
    const after = new Map(visitors.value);
    after.delete(keyOf(visitor.site_id, visitor.session_id));
    visitors.value = after;
  } else if ((type === "operator.online" || type === "operator.offline") && data["operator_id"] === myId) {
    onlineOn.value = new Map(onlineOn.value).set(site, type === "operator.online");
  } else if (type === "typing" && data["role"] === "visitor" && event.conversation_id) {
    sawTyping(event.conversation_id, (data["name"] as string | null) ?? null);
  } else if (type === "message.created" && data["role"] === "visitor" && event.conversation_id) {
    stopTyping(event.conversation_id);
  }
}

function sawTyping(conversation: number, name: string | null): void {
  const until = Date.now() + TYPING_MS;
  typing.value = new Map(typing.value).set(conversation, { name, until });
  setTimeout(() => {
    if ((typing.value.get(conversation)?.until ?? 0) <= Date.now()) stopTyping(conversation);
  }, TYPING_MS + 50);
}

function stopTyping(conversation: number): void {
  if (!typing.value.has(conversation)) return;
  const after = new Map(typing.value);
  after.delete(conversation);
  typing.value = after;
}
