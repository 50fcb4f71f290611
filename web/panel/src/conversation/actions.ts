/** What an operator does with a whole conversation: accept, transfer, release, close, reopen, block. */

import { signal } from "@preact/signals";
import type { BlockType, CannedReply, Conversation } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { throttle } from "../../../shared/retry";
import { api, errorMessage } from "../api/client";
import { isTextField } from "../commands/registry";
import { confirmAction, runWithToast, showToast } from "../components/toasts";
import { type DraftKind, setKind } from "../composer/drafts";
import { t } from "../i18n/i18n";
import { activeTab, visitorName } from "../inbox/conversations";
import { navigate, route } from "../navigation/route";

const TYPING_INTERVAL_MS = 3000;

/** The conversation whose transfer, block or transcript dialog is open. */
export const transferDialogFor = signal<number | null>(null);
export const blockDialogFor = signal<number | null>(null);
export const transcriptDialogFor = signal<number | null>(null);

/** The conversation whose composer has to take the focus; null once it has. */
export const composerFocus = signal<{ conversation: number } | null>(null);

/** A canned reply that the composer of the conversation has to insert at the cursor; null once it has. */
export const composerInsertion = signal<{ conversation: number; reply: CannedReply } | null>(null);

/** Moves the focus into the composer of the open conversation; `kind` also chooses what it writes. */
export function focusComposer(conversation: number, kind?: DraftKind): void {
  if (kind) setKind(conversation, kind);
  composerFocus.value = { conversation };
}

const isOpen = (id: number): boolean => route.value.page === "chats" && route.value.conversation === id;

const inProgress = new Set<number>();

/** Runs one action per conversation at a time: a key that is held down repeats it. */
async function runOnce(id: number, action: () => Promise<unknown>, successText?: string): Promise<boolean> {
  if (inProgress.has(id)) return false;
  inProgress.add(id);
  try {
    return await runWithToast(action, successText);
  } finally {
    inProgress.delete(id);
  }
}

export async function acceptConversation({ id }: Conversation): Promise<void> {
  if (!(await runOnce(id, () => api.post("/operator/accept/{id}", { path: { id } })))) return;
  // It has left the queue: show the list that it is in now.
  if (activeTab.value === "waiting") activeTab.value = "mine";
  // The operator may have opened another chat or have begun to type elsewhere in the meantime.
  if (isOpen(id) && !isTextField(document.activeElement)) focusComposer(id);
}

export async function closeConversation(conversation: Conversation): Promise<void> {
  const { id } = conversation;
  const confirmed = await confirmAction({
    title: t("conversation.closeTitle"),
    text: t("conversation.closeText", { name: visitorName(conversation) }),
    confirmLabel: t("conversation.close"),
  });
  if (!confirmed || !(await runOnce(id, () => api.post("/operator/close/{id}", { path: { id } })))) return;
  showToast(t("conversation.closedToast"), "success", {
    label: t("conversation.undo"),
    run: () => void reopenConversation(conversation),
  });
}

/** Reopens a closed conversation: it is then the operator's own. Shows the newer one if there is one. */
export async function reopenConversation({ id }: Conversation): Promise<void> {
  const reopen = async () => {
    try {
      await api.post("/operator/conversation/{id}/reopen", { path: { id } });
    } catch (error) {
      const newer = error instanceof ApiError && error.body.conversation_id;
      if (!newer) throw error;
      showToast(errorMessage(error), "error", {
        label: t("conversation.openIt"),
        run: () => navigate("chats", newer),
      });
      return;
    }
    if (isOpen(id)) activeTab.value = "mine";
  };
  await runOnce(id, reopen);
}

export async function releaseConversation({ id }: Conversation): Promise<void> {
  await runOnce(
    id,
    () => api.post("/operator/release/{id}", { path: { id } }),
    t("conversation.releasedToast"),
  );
}

export async function transferConversation(
  id: number,
  operator: { id: number; name: string },
): Promise<boolean> {
  const options = { path: { id }, body: { operator_id: operator.id } };
  return runOnce(
    id,
    () => api.post("/operator/transfer/{id}", options),
    t("conversation.transferredToast", { name: operator.name }),
  );
}

export async function transferToTeam(id: number, team: { id: number; name: string }): Promise<boolean> {
  const options = { path: { id }, body: { team_id: team.id } };
  return runOnce(
    id,
    () => api.post("/operator/transfer/{id}", options),
    t("teams.transferred", { team: team.name }),
  );
}

export async function setBlocked(id: number, blocked: boolean, type: BlockType): Promise<boolean> {
  const options = { path: { id }, body: { blocked, block_type: type } };
  const successText = blocked ? t("conversation.blockedToast") : t("conversation.unblockedToast");
  return runOnce(id, () => api.post("/operator/conversation/{id}/block", options), successText);
}

export async function markRead({ id }: Conversation, seq: number): Promise<void> {
  const options = { path: { id }, body: { seq } };
  await api.post("/operator/conversation/{id}/read", options).catch(() => undefined);
}

/** Tells the visitor that the operator is typing, at most every three seconds. */
export const sendTyping = throttle(TYPING_INTERVAL_MS, (id: number) => {
  api.post("/operator/typing", { body: { conversation_id: id } }).catch(() => undefined);
});
