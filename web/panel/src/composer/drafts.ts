/**
 * Text, images and files that have not been sent, per conversation. They survive a reload, a crash and a logout, and are the
 * same in all tabs. A reply and a private note are separate texts, so that what was written as a note cannot become a
 * message to the visitor.
 */
import { signal } from "@preact/signals";
import type { FileAttachment } from "../../../shared/apiTypes";
import { readJson, writeJson, writeText } from "../../../shared/storage";
import type { QuickReplyRow } from "../quickReplies/rows";
import { me } from "../session/session";

export interface Draft {
  reply: string;
  /** The URL of an image of the reply. */
  image: string;
  /** A file of the reply, uploaded already. */
  file?: FileAttachment | null;
  /** The buttons below the reply, while they are edited. */
  quickReplies?: QuickReplyRow[] | undefined;
  note: string;
}

export type DraftKind = "reply" | "note";

const EMPTY: Draft = { reply: "", image: "", note: "" };
const DRAFT_PREFIX = "parley.draft.";
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());
const kinds = signal<ReadonlyMap<string, DraftKind>>(new Map());

const keySuffix = (conversation: number): string => `${me.value?.id ?? 0}.${conversation}`;
const draftKey = (conversation: number): string => `${DRAFT_PREFIX}${keySuffix(conversation)}`;
const kindKey = (conversation: number): string => `parley.composer.${keySuffix(conversation)}`;

/** A draft of version 0.1: one text that was either a reply or a note. */
interface OldDraft {
  text: string;
  image: string;
  note: boolean;
}

function parseDraft(stored: Partial<Draft> | Partial<OldDraft>): Draft {
  if (!("text" in stored)) return { ...EMPTY, ...(stored as Partial<Draft>) };
  const { text = "", image = "", note } = stored;
  return note ? { ...EMPTY, image, note: text } : { ...EMPTY, image, reply: text };
}

export function getDraft(conversation: number): Draft {
  const key = draftKey(conversation);
  return drafts.value.get(key) ?? parseDraft(readJson<Partial<Draft>>(key, {}));
}

export function setDraft(conversation: number, fields: Partial<Draft>): void {
  const key = draftKey(conversation);
  const draft = { ...getDraft(conversation), ...fields };
  const changed = new Map(drafts.value).set(key, draft);
  if (draft.reply || draft.image || draft.file || draft.note || draft.quickReplies) {
    writeJson(key, draft);
  } else {
    changed.delete(key);
    writeText(key, null);
  }
  drafts.value = changed;
}

export function hasDraft(conversation: number): boolean {
  const draft = getDraft(conversation);
  return draft.reply.trim() !== "" || draft.image !== "" || Boolean(draft.file) || draft.note.trim() !== "";
}

// Another tab has changed a draft: the next read finds it in the storage.
addEventListener("storage", (event) => {
  if (!event.key?.startsWith(DRAFT_PREFIX) || !drafts.value.has(event.key)) return;
  const changed = new Map(drafts.value);
  changed.delete(event.key);
  drafts.value = changed;
});

/**
 * Whether the composer of a conversation writes a reply or a note; undefined until the operator has begun either. It
 * belongs to this tab, where it survives a reload: another tab never changes what is being typed here.
 */
export function getKind(conversation: number): DraftKind | undefined {
  const key = kindKey(conversation);
  return kinds.value.get(key) ?? readKind(key);
}

function readKind(key: string): DraftKind | undefined {
  try {
    const stored = sessionStorage.getItem(key);
    return stored === "note" || stored === "reply" ? stored : undefined;
  } catch {
    return undefined;
  }
}

export function setKind(conversation: number, kind: DraftKind): void {
  const key = kindKey(conversation);
  if (kinds.value.get(key) === kind) return;
  kinds.value = new Map(kinds.value).set(key, kind);
  try {
    sessionStorage.setItem(key, kind);
  } catch {
    // It then lives only as long as the page.
  }
}
