/** What was typed and not yet sent, per conversation: it survives another chat, a reload, a crash and a logout. */
import { signal } from "@preact/signals";
import { me } from "../api/session";

export interface Draft {
  text: string;
  image: string;
  note: boolean;
}

const EMPTY: Draft = { text: "", image: "", note: false };
const cache = signal<ReadonlyMap<string, Draft>>(new Map());

const nameOf = (conversation: number): string => `parley.draft.${me.value?.id ?? 0}.${conversation}`;

export function draftOf(conversation: number): Draft {
  const name = nameOf(conversation);
  const known = cache.value.get(name);
  if (known) return known;
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(name) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

export function setDraft(conversation: number, fields: Partial<Draft>): void {
  const name = nameOf(conversation);
  const draft = { ...draftOf(conversation), ...fields };
  cache.value = new Map(cache.value).set(name, draft);
  try {
    if (draft.text || draft.image) localStorage.setItem(name, JSON.stringify(draft));
    else localStorage.removeItem(name);
  } catch {
    // It stays in memory.
  }
}

export const hasDraft = (conversation: number): boolean => {
  const draft = draftOf(conversation);
  return draft.text.trim() !== "" || draft.image !== "";
};
