/** Notes that mention operators: whom a text mentions, and this operator's own mentions that are not read. */
import { signal } from "@preact/signals";
import type { LiveEvent, Note, ResponseBody } from "../../../shared/apiTypes";
import { api } from "../api/client";
import type { Trigger } from "../cannedReplies/text";
import { conversations } from "../inbox/conversations";
import { keepChanges } from "../live/keepChanges";
import { me } from "../session/session";

type Mention = ResponseBody<"get", "/operator/mentions">["mentions"][number];

export const mentions = signal<readonly Mention[]>([]);

const byNote = (list: readonly Mention[]) => new Map(list.map((one) => [one.note.id, one]));

/** Fetches those that are not read. Throws ApiError, LoggedOut. */
export async function loadMentions(): Promise<void> {
  const before = byNote(mentions.value);
  const fetched = byNote((await api.get("/operator/mentions")).mentions);
  const merged = keepChanges(fetched, before, byNote(mentions.value));
  mentions.value = [...merged.values()].sort((a, b) => b.note.id - a.note.id);
}

export function applyMentionEvent(event: LiveEvent): void {
  const note = event.data["note"] as Note | undefined;
  const mine = me.value?.id;
  if (event.type !== "note.created" || !note || !mine || !event.conversation_id) return;
  if (!note.mentions?.includes(mine) || mentions.value.some((one) => one.note.id === note.id)) return;
  const mention = { site_id: event.site_id, conversation_id: event.conversation_id, note };
  mentions.value = [mention, ...mentions.value];
}

/** Clears the mentions of a conversation, here and for the operator's other devices. */
export async function readMentions(conversation: number): Promise<void> {
  mentions.value = mentions.value.filter((one) => one.conversation_id !== conversation);
  await api
    .post("/operator/conversation/{id}/mentions/read", { path: { id: conversation } })
    .catch(() => undefined);
}

interface Mentionable {
  id: number;
  name: string;
}

/** Who can be mentioned on a site, fetched when somebody types an @. */
const mentionable = signal<ReadonlyMap<number, readonly Mentionable[]>>(new Map());

/** Removes the mentions of the operator who logs out, and who can be mentioned. */
export function clearMentions(): void {
  mentions.value = [];
  mentionable.value = new Map();
}

export async function loadMentionable(siteId: number): Promise<void> {
  if (mentionable.value.has(siteId)) return;
  const { operators } = await api.get("/operator/operators", { query: { site_id: siteId } });
  mentionable.value = new Map(mentionable.value).set(siteId, operators);
}

const MENTION = /(?:^|\s)@([^\n@]{0,30})$/;

/** The @ and what follows it in front of the cursor, as a range; null if no name is being typed. */
export function findMentionTrigger(text: string, cursor: number): Trigger | null {
  const match = MENTION.exec(text.slice(Math.max(0, cursor - 40), cursor));
  if (!match) return null;
  const query = match[1] ?? "";
  return { start: cursor - query.length - 1, end: cursor, query };
}

/** The other operators of a site who match what was typed. */
export const matchMentionable = (siteId: number, query: string): Mentionable[] =>
  matchNames(
    (mentionable.value.get(siteId) ?? []).filter(({ id }) => id !== me.value?.id),
    query,
  );

/** People whose name, or a later word of it, starts with what was typed. */
export function matchNames(people: readonly Mentionable[], query: string): Mentionable[] {
  const typed = query.toLocaleLowerCase();
  return people.filter(({ name }) => ` ${name.toLocaleLowerCase()}`.includes(` ${typed}`));
}

/** The ids of the operators of a conversation's site whose names follow an @ in a note. */
export async function findMentions(conversation: number, text: string): Promise<number[]> {
  const siteId = conversations.value.get(conversation)?.site_id;
  if (!text.includes("@") || siteId === undefined) return [];
  const { operators } = await api.get("/operator/operators", { query: { site_id: siteId } });
  const lowered = text.toLocaleLowerCase();
  return operators
    .filter((operator) => isMentioned(lowered, operator.name.toLocaleLowerCase()))
    .map((operator) => operator.id);
}

/** Whether an @ and the whole name occur: "@Sam" does not mention Samantha, nor "@Samantha" Sam. */
function isMentioned(text: string, name: string): boolean {
  for (let at = text.indexOf(`@${name}`); at >= 0; at = text.indexOf(`@${name}`, at + 1)) {
    const next = text.charAt(at + name.length + 1);
    if (!/[\p{L}\p{N}_]/u.test(next)) return true;
  }
  return false;
}
