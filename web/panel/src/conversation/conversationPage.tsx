/** An open conversation: its header with the actions, its messages, the composer, the visitor's details. */

import { useEffect } from "preact/hooks";
import type { Conversation } from "../../../shared/apiTypes";
import { clearSelection, toggleSelected } from "../bulk/selection";
import { shortcutHint, useActions, withShortcut } from "../commands/registry";
import { now } from "../components/clock";
import { IconButton } from "../components/controls";
import { Avatar, EmptyState, PageLink, Spinner } from "../components/display";
import { Icon } from "../components/icon";
import { lazy } from "../components/lazy";
import { openPopupMenu, PopupMenu } from "../components/popupMenu";
import { Composer } from "../composer/composer";
import { t } from "../i18n/i18n";
import { isMine, visitorName } from "../inbox/conversations";
import { ModeTag } from "../inbox/modeTag";
import { LabelChips } from "../labels/labelChips";
import { LabelMenu } from "../labels/labelMenu";
import { labelsOfSite, toggleLabel } from "../labels/labels";
import { connection } from "../live/liveStream";
import { MentionReader } from "../mentions/mentionList";
import { navigate } from "../navigation/route";
import { closeDrawer, detailsOpen, setDetailsOpen, showTranslations } from "../settings/preferences";
import { getSiteName, hasPermission, maySendTranscripts } from "../sites/sites";
import { getOnlineVisitor } from "../visitors/presence";
import {
  acceptConversation,
  blockDialogFor,
  closeConversation,
  markRead,
  releaseConversation,
  reopenConversation,
  transcriptDialogFor,
  transferDialogFor,
} from "./actions";
import { BlockDialog } from "./blockDialog";
import { Details } from "./details";
import { SnoozeBar, SnoozeMenu, snooze } from "./snooze";
import { getConversation, getLoadFailure, getThread, loadThread, type Thread } from "./threads";
import { Timeline } from "./timeline";
import { TransferDialog } from "./transferDialog";
import { setTranslated, TranslateButton, TranslationBar } from "./translation";
import { ViewerList, ViewingReporter } from "./viewerList";

const TranscriptDialog = lazy(() => import("./transcriptDialog").then((module) => module.TranscriptDialog));

/** `entry` names a message or a note to show. */
export function ConversationPage({ id, entry }: { id: number; entry: string | undefined }) {
  const thread = getThread(id);
  const conversation = getConversation(id);
  useEffect(() => {
    if (!getThread(id)) void loadThread(id);
  }, [id, thread === undefined]);
  useEffect(() => closeDrawer, [id]);
  if (!thread || !conversation) return <LoadingConversation id={id} />;
  return (
    <div class={`conversation${detailsOpen.value ? " with-details" : ""}`}>
      <section
        class="conversation-main"
        aria-label={t("conversation.label", { name: visitorName(conversation) })}
      >
        <ConversationHeader conversation={conversation} thread={thread} />
        <ViewingReporter id={id} />
        <MentionReader id={id} />
        <SnoozeBar conversation={conversation} mayEnd={getAbilities(conversation).mayReassign} />
        <TranslationBar conversation={conversation} thread={thread} />
        <Timeline key={id} thread={thread} conversation={conversation} target={entry} />
        <Composer key={`composer-${id}`} conversation={conversation} />
      </section>
      {detailsOpen.value && (
        <Details thread={thread} conversation={conversation} onClose={() => setDetailsOpen(false)} />
      )}
      <ReadReporter conversation={conversation} />
      <ConversationActions conversation={conversation} thread={thread} />
      {transferDialogFor.value === id && <TransferDialog conversation={conversation} />}
      <BlockDialog conversation={conversation} />
      {transcriptDialogFor.value === id && <TranscriptDialog conversation={conversation} />}
    </div>
  );
}

function LoadingConversation({ id }: { id: number }) {
  const failure = getLoadFailure(id);
  if (!failure) {
    return (
      <div class="conversation">
        <Spinner />
      </div>
    );
  }
  return (
    <div class="conversation">
      <EmptyState
        icon="info"
        title={failure.notFound ? t("conversation.notFound") : t("conversation.loadFailed")}
      >
        <p>{failure.notFound ? t("conversation.notFoundText") : failure.error}</p>
        <button
          type="button"
          class="button"
          onClick={() => (failure.notFound ? navigate("chats") : loadThread(id))}
        >
          {failure.notFound ? t("conversation.backToInbox") : t("common.tryAgain")}
        </button>
      </EmptyState>
    </div>
  );
}

/** What the operator may do with a conversation. */
function getAbilities(conversation: Conversation) {
  const { mode, site_id: siteId } = conversation;
  const unassigned = mode === "ai" || mode === "pending";
  const mine = isMine(conversation);
  const canAct = mode !== "closed" && hasPermission(siteId, "can_chat");
  const canManage = hasPermission(siteId, "can_manage");
  return {
    canAccept: canAct && unassigned,
    mayReassign: canAct && (mine || unassigned || canManage),
    mayRelease: canAct && (mine || (canManage && mode === "operator") || mode === "pending"),
  };
}

function ConversationHeader({ conversation, thread }: { conversation: Conversation; thread: Thread }) {
  const { id, site_id: siteId, visitor } = conversation;
  const name = visitorName(conversation);
  const online = getOnlineVisitor(siteId, visitor.session_id);
  const { canAccept, mayReassign, mayRelease } = getAbilities(conversation);
  return (
    <header class="conversation-header">
      <IconButton
        icon="back"
        label={t("conversation.backToInbox")}
        class="narrow-only"
        onClick={() => navigate("chats")}
      />
      <Avatar name={name} online={online !== undefined} />
      <div class="conversation-identity">
        <h1 dir="auto" title={name}>
          {name}
        </h1>
        <p class="conversation-meta">
          <ModeTag conversation={conversation} />
          <LabelChips conversation={conversation} />
          <span dir="auto">{getSiteName(siteId)}</span>
          <ViewerList id={id} />
          {online?.page && <PageLink page={online.page} title={online.title} />}
        </p>
      </div>
      <div class="conversation-actions">
        {canAccept && (
          <button
            type="button"
            class="button primary"
            title={withShortcut(t("conversation.accept"), "chat.accept")}
            onClick={() => acceptConversation(conversation)}
          >
            <Icon name="wave" size={16} /> {t("conversation.accept")}
          </button>
        )}
        <TranslateButton conversation={conversation} thread={thread} />
        {hasPermission(siteId, "can_chat") && (
          <PopupMenu
            icon="bookmark"
            label={t("labels.labels")}
            hint={shortcutHint("chat.labels")}
            id="label-menu"
          >
            {() => (
              <LabelMenu
                labels={labelsOfSite(siteId)}
                given={conversation.labels}
                onToggle={(label) => toggleLabel(conversation, label.id)}
              />
            )}
          </PopupMenu>
        )}
        {mayReassign && (
          <PopupMenu
            icon="clock"
            label={t("labels.snooze")}
            hint={shortcutHint("chat.snooze")}
            id="snooze-menu"
          >
            {(close) => (
              <SnoozeMenu
                onChoose={(until) => {
                  close();
                  void snooze(id, until);
                }}
              />
            )}
          </PopupMenu>
        )}
        {mayReassign && (
          <IconButton
            icon="transfer"
            label={t("conversation.transfer")}
            hint={shortcutHint("chat.transfer")}
            onClick={() => (transferDialogFor.value = id)}
          />
        )}
        {mayRelease && (
          <IconButton
            icon="robot"
            label={t("conversation.release")}
            hint={shortcutHint("chat.release")}
            onClick={() => releaseConversation(conversation)}
          />
        )}
        {mayReassign && (
          <IconButton
            icon="done"
            label={t("conversation.close")}
            hint={shortcutHint("chat.close")}
            onClick={() => closeConversation(conversation)}
          />
        )}
        <IconButton
          icon="info"
          label={t("conversation.details")}
          hint={shortcutHint("chat.details")}
          active={detailsOpen.value}
          onClick={() => setDetailsOpen(!detailsOpen.value)}
        />
      </div>
    </header>
  );
}

/** Marks messages as read when the assigned operator sees them, and only then. */
function ReadReporter({ conversation }: { conversation: Conversation }) {
  // Reading `now` checks visibility and focus again every second.
  const isVisible = document.visibilityState === "visible" && document.hasFocus() && now.value > 0;
  const hasUnread =
    isMine(conversation) &&
    conversation.operator_read_seq < conversation.last_seq &&
    conversation.unread > 0 &&
    connection.value.state === "live";
  useEffect(() => {
    if (hasUnread && isVisible) void markRead(conversation, conversation.last_seq);
  }, [hasUnread && isVisible, conversation.last_seq, conversation.id]);
  return null;
}

function ConversationActions({ conversation, thread }: { conversation: Conversation; thread: Thread }) {
  const { id, mode, site_id: siteId, visitor } = conversation;
  const isOpen = mode !== "closed";
  const mayChat = hasPermission(siteId, "can_chat");
  const { canAccept, mayReassign, mayRelease } = getAbilities(conversation);
  const isTranslated = thread.translation?.enabled === true;
  useActions(
    () => ({
      "chat.details": () => setDetailsOpen(!detailsOpen.value),
      "chat.translations": isTranslated && (() => (showTranslations.value = !showTranslations.value)),
      "chat.reopen": mayChat && !isOpen && (() => void reopenConversation(conversation)),
      "chat.accept": canAccept && (() => void acceptConversation(conversation)),
      "chat.labels": mayChat && (() => openPopupMenu("label-menu")),
      "chat.snooze": mayReassign && (() => openPopupMenu("snooze-menu")),
      "chat.select": isOpen && (() => toggleSelected(id)),
      "chat.transfer": mayReassign && (() => (transferDialogFor.value = id)),
      "chat.release": mayRelease && (() => void releaseConversation(conversation)),
      "chat.close": mayReassign && (() => void closeConversation(conversation)),
      "chat.transcript": maySendTranscripts(siteId) && (() => (transcriptDialogFor.value = id)),
      "chat.block": mayChat && !visitor.blocked && (() => (blockDialogFor.value = id)),
      "chat.translate": mayChat &&
        isOpen && {
          label: t(isTranslated ? "conversation.stopTranslating" : "conversation.translate"),
          run: () => void setTranslated(id, !isTranslated),
        },
    }),
    [conversation, mayChat, mayReassign, isTranslated],
  );
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      closeDrawer();
      clearSelection();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return null;
}
