/** The copilot: asks the site's AI for drafts. What it writes waits here until the operator uses or discards it. */
import { signal } from "@preact/signals";
import type { paths } from "../../../shared/api";
import { api, errorMessage } from "../api/client";
import type { DraftKind } from "../composer/drafts";

/** An AI may take longer than other requests do. */
const WRITING_TIMEOUT_MS = 55_000;
/** After a failure, the server is not asked again for this time whether a site has a copilot. */
const RETRY_MS = 60_000;

type RewriteBody =
  paths["/api/v1/operator/conversation/{id}/copilot/rewrite"]["post"]["requestBody"]["content"]["application/json"];
type RewriteStyle = RewriteBody["style"];
export type CopilotTask = "suggestion" | "summary" | RewriteStyle;

export interface Source {
  question: string;
  answer: string;
}

interface CopilotText {
  task: CopilotTask;
  /** Undefined while the AI writes. */
  text?: string;
  sources: Source[];
  error?: string;
}

const texts = signal<ReadonlyMap<number, CopilotText>>(new Map());
const availability = signal<ReadonlyMap<number, boolean>>(new Map());
const requested = new Set<number>();

/** Whether a site's AI can write drafts. False until the server has said so. */
export function isCopilotAvailable(siteId: number): boolean {
  const known = availability.value.get(siteId);
  if (known === undefined && !requested.has(siteId)) {
    requested.add(siteId);
    api
      .get("/sites/{site_id}/copilot", { path: { site_id: siteId } })
      .then(({ available }) => {
        availability.value = new Map(availability.value).set(siteId, available);
      })
      .catch(() => setTimeout(() => requested.delete(siteId), RETRY_MS));
  }
  return known ?? false;
}

/** Asks again which sites have a copilot: a manager has changed the AI of one. */
export function resetCopilotAvailability(): void {
  requested.clear();
  availability.value = new Map();
}

/** Removes what the operator who logs out has seen of it. */
export function clearCopilot(): void {
  resetCopilotAvailability();
  texts.value = new Map();
}

export const getCopilotText = (conversation: number): CopilotText | undefined =>
  texts.value.get(conversation);

export function discardCopilotText(conversation: number): void {
  const changed = new Map(texts.value);
  changed.delete(conversation);
  texts.value = changed;
}

/** A summary belongs into a note; everything else is a reply, or the kind of the draft that was rewritten. */
export const targetKind = (task: CopilotTask, kind: DraftKind): DraftKind =>
  task === "summary" ? "note" : task === "suggestion" ? "reply" : kind;

export async function runCopilot(conversation: number, task: CopilotTask, draft: string): Promise<void> {
  const current: CopilotText = { task, sources: [] };
  const show = (text: CopilotText) => {
    texts.value = new Map(texts.value).set(conversation, text);
  };
  show(current);
  const result = await write(conversation, task, draft).catch((error: unknown) => ({
    error: errorMessage(error),
  }));
  // The operator has discarded it, or asked for something else.
  if (getCopilotText(conversation) !== current) return;
  show({ ...current, ...result });
}

/** Leaves a summary as a note, for the operator who takes over. */
export async function addSummaryNote(conversation: number): Promise<void> {
  const { text } = await write(conversation, "summary", "");
  await api.post("/operator/note", { body: { conversation_id: conversation, content: text } });
}

async function write(
  id: number,
  task: CopilotTask,
  draft: string,
): Promise<{ text: string; sources?: Source[] }> {
  const options = { path: { id }, timeoutMs: WRITING_TIMEOUT_MS };
  if (task === "suggestion") return api.post("/operator/conversation/{id}/copilot/suggestion", options);
  if (task === "summary") return api.post("/operator/conversation/{id}/copilot/summary", options);
  const body = { text: draft, style: task };
  return api.post("/operator/conversation/{id}/copilot/rewrite", { ...options, body });
}
