/** The conversations of the inbox that are selected, for what is done to several at once. */
import { computed, signal } from "@preact/signals";
import type { BulkRequest, BulkResults, Conversation } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { runWithToast, showToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { activeTab, conversations, inboxLists } from "../inbox/conversations";

/** As many as the server accepts at once. */
export const MAX_SELECTED = 200;

const selectedIds = signal<ReadonlySet<number>>(new Set());
/** Where a selection with the shift key begins. */
let anchor: number | undefined;

/** Those that are selected and still in the list. */
export const selection = computed<Conversation[]>(() =>
  selectedIds.value.size === 0
    ? []
    : inboxLists.value[activeTab.value].filter(({ id }) => selectedIds.value.has(id)),
);

export const isSelected = (id: number): boolean => selectedIds.value.has(id);

export function clearSelection(): void {
  selectedIds.value = new Set();
  anchor = undefined;
}

/** Selects a conversation, or removes it from the selection. */
export function toggleSelected(id: number): void {
  const changed = new Set(selectedIds.value);
  if (!changed.delete(id) && changed.size < MAX_SELECTED) changed.add(id);
  selectedIds.value = changed;
  anchor = id;
}

/** Selects all from the conversation that was selected last to this one, in the order of the list. */
export function selectRange(id: number): void {
  const list = inboxLists.value[activeTab.value];
  const to = list.findIndex((conversation) => conversation.id === id);
  const from = list.findIndex((conversation) => conversation.id === anchor);
  if (to < 0 || from < 0) {
    toggleSelected(id);
    return;
  }
  const range = list.slice(Math.min(from, to), Math.max(from, to) + 1);
  selectedIds.value = new Set([...selectedIds.value, ...range.map((one) => one.id)].slice(0, MAX_SELECTED));
}

export function selectAll(): void {
  selectedIds.value = new Set(
    inboxLists.value[activeTab.value].slice(0, MAX_SELECTED).map((conversation) => conversation.id),
  );
}

/** Does something to the selected conversations, and offers to undo it. */
export async function performBulk(request: Omit<BulkRequest, "conversation_ids">): Promise<void> {
  const ids = selection.value.map((conversation) => conversation.id);
  await runWithToast(async () => {
    const body = { ...request, conversation_ids: ids } as BulkRequest;
    const { action_id: actionId, results } = await api.post("/operator/conversations/bulk", { body });
    const done = results.filter((result) => result.success).length;
    if (done > 0) {
      const undo = actionId && { label: t("conversation.undo"), run: () => void undoBulk(actionId) };
      showToast(t("labels.bulkDone", { count: done }), "success", undo || undefined);
    }
    reportFailures(results);
    clearSelection();
  });
}

async function undoBulk(actionId: number): Promise<void> {
  await runWithToast(async () => {
    const path = { action_id: actionId };
    const { results } = await api.post("/operator/conversations/bulk/{action_id}/undo", { path });
    const done = results.filter((result) => result.success).length;
    if (done > 0) showToast(t("labels.bulkUndone", { count: done }));
    reportFailures(results);
  });
}

function reportFailures(results: BulkResults): void {
  const failed = results.filter((result) => !result.success);
  if (failed.length === 0) return;
  const reason = failed[0]?.error ?? "";
  showToast(t("labels.bulkFailed", { count: failed.length, reason }), "error");
}

/** The ids of the sites of the selected conversations. */
export const selectedSites = computed(
  () => new Set(selection.value.map(({ id }) => conversations.value.get(id)?.site_id ?? 0)),
);
