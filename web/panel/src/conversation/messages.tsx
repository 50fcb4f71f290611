/** The items of a timeline: messages, private notes, events, and messages that are still being sent. */

import { useSignal } from "@preact/signals";
import type { Conversation, Message, MessageSource, Note } from "../../../shared/apiTypes";
import { LinkifiedText, MarkdownText, MessageImage } from "../../../shared/components";
import { IconButton } from "../components/controls";
import { ExternalLink } from "../components/display";
import { Icon } from "../components/icon";
import { isolate } from "../components/isolate";
import { lazy } from "../components/lazy";
import { getDraft, setDraft, setKind } from "../composer/drafts";
import { type OutgoingMessage, removeOutgoing, retryOutgoing } from "../composer/outbox";
import { PanelFile } from "../files/panelFile";
import { formatDateTime, formatTime } from "../i18n/formats";
import { hasText, t } from "../i18n/i18n";
import { QuickReplyChips } from "../quickReplies/chips";
import { toRows } from "../quickReplies/rows";
import { me } from "../session/session";
import { showTranslations } from "../settings/preferences";
import { hasPermission } from "../sites/sites";
import type { HistoryEntry } from "./threads";

const CapNote = lazy(() => import("./capNote").then((module) => module.CapNote));
const ImageNote = lazy(() => import("./imageNote").then((module) => module.ImageNote));
const ToolCalls = lazy(() => import("../tools/toolCalls").then((module) => module.ToolCalls));
const TestFromChat = lazy(() => import("../answerTests/fromChat").then((module) => module.TestFromChat));
const WrongAnswer = lazy(() => import("../corrections/wrongAnswer").then((module) => module.WrongAnswer));

interface MessageItemProps {
  message: Message;
  conversation: Conversation;
  /** The visitor's name. */
  name: string;
  /** Whether the message before is by the same author and recent: then it needs no header. */
  isFollowUp: boolean;
}

export function MessageItem({ message, conversation, name, isFollowUp }: MessageItemProps) {
  const { role, content, created_at: at } = message;
  if (role === "system") return <SystemItem text={content} at={at} />;
  const own = role === "operator" && message.sender?.id === me.value?.id;
  return (
    <li
      class={`message ${role}${own ? " own" : ""}${isFollowUp ? " follow-up" : ""}`}
      data-entry={`m${message.seq}`}
    >
      {!isFollowUp && (
        <div class="message-header">
          {role === "ai" && <Icon name="robot" size={14} />}
          <span class="message-author" dir="auto">
            {role === "operator"
              ? operatorName(message.sender)
              : role === "ai"
                ? t("common.aiAssistant")
                : name}
          </span>
        </div>
      )}
      <div class="bubble">
        {message.image_url && <MessageImage url={message.image_url} alt={t("common.imageAlt")} />}
        {message.file && <PanelFile file={message.file} />}
        {content && role === "ai" ? (
          <MarkdownText text={content} />
        ) : (
          content && (
            <p class="message-text" dir="auto">
              <LinkifiedText text={content} />
            </p>
          )
        )}
        <TranslationText message={message} />
        <Sources sources={message.sources ?? []} />
        {message.cap_reached && <CapNote cap={message.cap_reached} />}
        {message.image_use && <ImageNote use={message.image_use} />}
        {!!message.tool_calls?.length && <ToolCalls calls={message.tool_calls} />}
        <QuickReplyChips replies={message.quick_replies} />
        <div class="message-footer">
          <Time at={at} />
          {role === "ai" && hasPermission(conversation.site_id, "can_manage") && (
            <MakeTest message={message} siteId={conversation.site_id} />
          )}
          {role === "ai" && hasPermission(conversation.site_id, "can_chat") && (
            <ReportWrong message={message} siteId={conversation.site_id} />
          )}
          {role === "operator" && <DeliveryMark read={conversation.visitor_read_seq >= message.seq} />}
        </div>
      </div>
    </li>
  );
}

function MakeTest({ message, siteId }: { message: Message; siteId: number }) {
  const open = useSignal(false);
  return (
    <>
      <IconButton icon="done" label={t("conversation.makeTest")} onClick={() => (open.value = true)} />
      {open.value && <TestFromChat message={message} siteId={siteId} onClose={() => (open.value = false)} />}
    </>
  );
}

function ReportWrong({ message, siteId }: { message: Message; siteId: number }) {
  const open = useSignal(false);
  return (
    <>
      <IconButton icon="pencil" label={t("conversation.wrongAnswer")} onClick={() => (open.value = true)} />
      {open.value && <WrongAnswer message={message} siteId={siteId} onClose={() => (open.value = false)} />}
    </>
  );
}

/** What an AI reply is based on. */
function Sources({ sources }: { sources: readonly MessageSource[] }) {
  if (!sources.length) return null;
  return (
    <p class="message-sources">
      {t("conversation.sources")}:{" "}
      {sources.map(({ title, url }, index) => (
        <span key={title} dir="auto">
          {index > 0 && " · "}
          {url ? <ExternalLink url={url}>{title}</ExternalLink> : title}
        </span>
      ))}
    </p>
  );
}

const operatorName = (operator: { id: number; name: string } | null): string =>
  operator && operator.id === me.value?.id ? t("common.you") : (operator?.name ?? t("common.operator"));

const Time = ({ at }: { at: string }) => (
  <time dateTime={at} title={formatDateTime(at)}>
    {formatTime(at)}
  </time>
);

function TranslationText({ message }: { message: Message }) {
  const translation = message.translation;
  if (!translation || !showTranslations.value) return null;
  const { status, content, lang } = translation;
  if (status !== "done" || !content) {
    const isUnsupported = status === "unsupported";
    const values = { language: lang };
    return (
      <p class="translation failed">
        <Icon name="language" size={14} />{" "}
        {isUnsupported
          ? t("conversation.translationUnavailable", values)
          : t("conversation.translationFailed", values)}
      </p>
    );
  }
  return (
    <p class="translation" dir="auto" lang={lang}>
      <span class="translation-language" title={t("conversation.translatedTo", { language: lang })}>
        {lang}
      </span>
      <LinkifiedText text={content} />
    </p>
  );
}

function DeliveryMark({ read }: { read: boolean }) {
  const label = read ? t("conversation.read") : t("conversation.delivered");
  return (
    <span class={read ? "delivery-mark read" : "delivery-mark"} title={label}>
      <Icon name={read ? "checks" : "check"} size={15} />
      <span class="visually-hidden">{label}</span>
    </span>
  );
}

export function NoteItem({ note }: { note: Note }) {
  return (
    <li class="message note" data-entry={`n${note.id}`}>
      <div class="message-header">
        <Icon name="note" size={14} />
        <span class="message-author" dir="auto">
          {operatorName(note.author)}
        </span>
        <span>{t("conversation.privateNote")}</span>
      </div>
      <div class="bubble">
        <p class="message-text" dir="auto">
          <LinkifiedText text={note.content} />
        </p>
        <div class="message-footer">
          <Time at={note.created_at} />
        </div>
      </div>
    </li>
  );
}

interface SystemItemProps {
  text: string;
  at: string;
  /** Shown when the text is opened. */
  more?: string | undefined;
}

export function SystemItem({ text, at, more }: SystemItemProps) {
  return (
    <li class="system-item">
      {more ? (
        <details class="system-more">
          <summary dir="auto">{text}</summary>
          <p dir="auto">{more}</p>
        </details>
      ) : (
        <span dir="auto">{text}</span>
      )}
      <Time at={at} />
    </li>
  );
}

const STATUSES = {
  available: "teams.statusAvailable",
  full: "teams.statusFull",
  away: "teams.statusAway",
  missed: "teams.statusMissed",
} as const;

/** Who was considered for an assignment, as in "Sam: full"; undefined for other events. */
export function describeCandidates(entry: HistoryEntry): string | undefined {
  if (!entry.candidates?.length) return undefined;
  return entry.candidates
    .map(({ operator, status }) => `${isolate(operator.name)}: ${t(STATUSES[status])}`)
    .join("\n");
}

/** Why the AI asked for a person, when it may not reply any more today. */
function describeCap(reason: string): string {
  const of = reason.split("_")[2];
  if (of === "conversation") return t("conversation.history_capConversation");
  return t(of === "site" ? "conversation.history_capSite" : "conversation.history_capVisitor");
}

/** An event of a conversation as a sentence. `visitor` is the visitor's name. */
export function describeHistory(entry: HistoryEntry, visitor: string): string {
  const isOwn = entry.by !== null && entry.by.id === me.value?.id;
  const name = entry.by ? operatorName(entry.by) : visitor;
  switch (entry.action) {
    case "pending":
      if (entry.reason === "offline_form") return t("conversation.history_leftMessage");
      if (entry.reason?.startsWith("ai_cap_")) return describeCap(entry.reason);
      if (!entry.by) return t("conversation.history_askedHuman");
      return isOwn ? t("conversation.history_returnedByYou") : t("conversation.history_returned", { name });
    case "accepted":
      return isOwn ? t("conversation.history_joinedByYou") : t("conversation.history_joined", { name });
    case "transferred":
      return describeTransfer(entry, name, isOwn);
    case "transferred_to_team":
      return describeTransferToTeam(entry, name, isOwn);
    case "assigned":
      return t(entry.reason === "least_busy" ? "teams.historyLeastBusy" : "teams.historyRoundRobin", {
        operator: entry.to?.id === me.value?.id ? t("teams.you") : (entry.to?.name ?? ""),
      });
    case "released":
      if (!entry.by) return t("conversation.history_handedBack");
      return isOwn ? t("conversation.history_releasedByYou") : t("conversation.history_released", { name });
    case "closed":
      if (!entry.by) return t("conversation.history_chatClosed");
      return isOwn ? t("conversation.history_closedByYou") : t("conversation.history_closed", { name });
    case "reopened":
      return isOwn ? t("conversation.history_reopenedByYou") : t("conversation.history_reopened", { name });
    case "labeled":
    case "snoozed":
    case "restored":
      return isOwn ? t(`labels.history_${entry.action}ByYou`) : t(`labels.history_${entry.action}`, { name });
    case "woken":
    case "closed_for_silence":
      return t(`labels.history_${entry.action}`);
    case "joined":
      return t("identity.history_joined");
    case "closed_for_newer":
      return t("identity.history_closedForNewer");
    default: {
      const key = `conversation.history_${entry.action}`;
      return hasText(key) ? t(key) : entry.action;
    }
  }
}

function describeTransfer({ to }: HistoryEntry, name: string, isOwn: boolean): string {
  if (!isOwn && to?.id === me.value?.id) return t("conversation.history_transferredToYou", { name });
  const receiver = to?.name ?? t("conversation.history_anotherOperator");
  return isOwn
    ? t("conversation.history_transferredByYou", { to: receiver })
    : t("conversation.history_transferred", { name, to: receiver });
}

function describeTransferToTeam(entry: HistoryEntry, operator: string, isOwn: boolean): string {
  const team = entry.team?.name ?? "";
  return isOwn
    ? t("teams.historyTransferredByYou", { team })
    : t("teams.historyTransferred", { operator, team });
}

/** Puts an unsent message back into the composer, before what has been typed there since. */
function moveToDraft(item: OutgoingMessage): void {
  const { conversation, content, image, file, quickReplies } = item;
  const kind = item.kind === "note" ? "note" : "reply";
  const draft = getDraft(conversation);
  const text = [content, draft[kind]].filter(Boolean).join("\n");
  setDraft(conversation, {
    [kind]: text,
    image: draft.image || image,
    file: draft.file ?? file ?? null,
    ...(quickReplies?.length && { quickReplies: toRows(quickReplies) }),
  });
  setKind(conversation, kind);
  removeOutgoing(item.key);
}

/** A message that the server has not confirmed. */
export function OutgoingItem({ item }: { item: OutgoingMessage }) {
  const failed = item.state === "failed";
  const author = item.kind === "note" ? "note" : "operator own";
  return (
    <li class={`message ${author} unsent${failed ? " failed" : ""}`}>
      <div class="bubble">
        {item.image && <MessageImage url={item.image} alt={t("common.imageAlt")} />}
        {item.file && <PanelFile file={item.file} />}
        {item.content && (
          <p class="message-text" dir="auto">
            {item.content}
          </p>
        )}
        <QuickReplyChips replies={item.quickReplies} />
        <div class="message-footer" role="status">
          <Icon name={failed ? "info" : "clock"} size={14} />
          <span>
            {failed
              ? t("conversation.notSent", { error: item.error })
              : item.state === "waiting"
                ? t("conversation.waitingToSend", { error: item.error })
                : t("conversation.sending")}
          </span>
          {item.state !== "sending" && (
            <>
              <button type="button" class="text-button" onClick={() => retryOutgoing(item.key)}>
                {t("common.tryAgain")}
              </button>
              <button type="button" class="text-button" onClick={() => moveToDraft(item)}>
                {t("conversation.edit")}
              </button>
            </>
          )}
        </div>
      </div>
    </li>
  );
}
