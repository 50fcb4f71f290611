/** The labels of the operator's sites, and giving them to conversations. */
import { computed, signal } from "@preact/signals";
import type { Conversation, Label } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import { runWithToast } from "../components/toasts";
import { mergeConversations } from "../inbox/conversations";
import { me } from "../session/session";
import { hasPermission } from "../sites/sites";

export const labels = signal<readonly Label[]>([]);
export const labelsById = computed(() => new Map(labels.value.map((label) => [label.id, label])));

/** Fetches all of them. Throws ApiError, LoggedOut. */
export async function loadLabels(): Promise<void> {
  const loaded = await fetchAllPages(async (cursor) => {
    const page = await api.get("/labels", { query: { limit: 100, cursor } });
    return { items: page.labels, nextCursor: page.next_cursor };
  });
  labels.value = loaded.sort((a, b) => a.name.localeCompare(b.name));
}

let isFetching = false;

/** Fetches the labels again when a conversation has one that is not known: somebody has just made it. */
export function learnLabels(conversation: Conversation): void {
  if (isFetching || conversation.labels.every((id) => labelsById.value.has(id))) return;
  isFetching = true;
  loadLabels()
    .catch(() => undefined)
    .finally(() => {
      isFetching = false;
    });
}

export const labelsOfSite = (siteId: number): Label[] =>
  labels.value.filter((label) => label.site_id === null || label.site_id === siteId);

export const mayChangeLabel = (label: Label): boolean =>
  me.value?.owner === true || (label.site_id !== null && hasPermission(label.site_id, "can_manage"));

/** Gives a conversation a label, or takes it off. */
export async function toggleLabel(conversation: Conversation, labelId: number): Promise<void> {
  const { id, labels: before } = conversation;
  const after = before.includes(labelId) ? before.filter((one) => one !== labelId) : [...before, labelId];
  await runWithToast(async () => {
    const options = { path: { id }, body: { labels: after } };
    const changed = await api.put("/operator/conversation/{id}/labels", options);
    mergeConversations([changed.conversation]);
  });
}
