/** Text and images that have not been sent, per conversation. They survive a reload, a crash and a logout. */
import { signal } from "@preact/signals";
import { readJson, writeJson, writeText } from "../../../shared/storage";
import { me } from "../session/session";

export interface Draft {
  text: string;
  image: string;
  note: boolean;
}

const EMPTY: Draft = { text: "", image: "", note: false };
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

const storageKey = (conversation: number): string => `parley.draft.${me.value?.id ?? 0}.${conversation}`;

export function getDraft(conversation: number): Draft {
  const key = storageKey(conversation);
  return drafts.value.get(key) ?? { ...EMPTY, ...readJson<Partial<Draft>>(key, {}) };
}

export function setDraft(conversation: number, fields: Partial<Draft>): void {
  const key = storageKey(conversation);
  const draft = { ...getDraft(conversation), ...fields };
  drafts.value = new Map(drafts.value).set(key, draft);
  if (draft.text || draft.image) writeJson(key, draft);
  else writeText(key, null);
}

export function hasDraft(conversation: number): boolean {
  const draft = getDraft(conversation);
  return draft.text.trim() !== "" || draft.image !== "";
}
