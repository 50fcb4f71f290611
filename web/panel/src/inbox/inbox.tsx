/** The list of open conversations, in three tabs: waiting, mine, all. */

import type { Conversation } from "../../../shared/apiTypes";
import { BulkBar } from "../bulk/bulkBarLoader";
import { isSelected, selection, selectRange, toggleSelected } from "../bulk/selection";
import { shortcutHint, useActions } from "../commands/registry";
import { now } from "../components/clock";
import { IconButton } from "../components/controls";
import { Avatar, EmptyState, Spinner } from "../components/display";
import { Icon } from "../components/icon";
import { VirtualList } from "../components/virtualList";
import { hasDraft } from "../composer/drafts";
import { ViewerList } from "../conversation/viewerList";
import { formatDuration, formatNumber, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { LabelChips } from "../labels/labelChips";
import { MentionList } from "../mentions/mentionList";
import { route, routeHref } from "../navigation/route";
import { persistedSignal } from "../settings/preferences";
import { getSiteName, sites } from "../sites/sites";
import { getTeamName } from "../teams/teams";
import { FilterBar } from "../views/filterBarLoader";
import { SavedViews } from "../views/savedViews";
import { getOnlineVisitor, typingVisitors } from "../visitors/presence";
import {
  activeTab,
  attentionCounts,
  conversationsLoaded,
  type InboxTab,
  inboxLists,
  isFiltered,
  isMine,
  messagePreview,
  searchText,
  siteFilter,
  visitorName,
} from "./conversations";
import { ModeTag } from "./modeTag";

const MEDIUM_WAIT_MS = 60_000;
const LONG_WAIT_MS = 300_000;
/** How long before a chat returns to the queue its operator is warned. */
const DUE_SOON_MS = 60_000;
/** As in inbox.css. */
const ROW_HEIGHT_PX = 58;

const TABS: InboxTab[] = ["waiting", "mine", "all", "snoozed"];
const MAX_ROW_LABELS = 2;

const filterOpen = persistedSignal("filter", false);

export function Inbox() {
  const list = inboxLists.value[activeTab.value];
  const label = t(`inbox.list_${activeTab.value}`);
  const openId = route.value.page === "chats" ? route.value.conversation : undefined;
  const toggleFilter = () => {
    filterOpen.value = !filterOpen.value;
  };
  useActions(() => ({ "inbox.filter": toggleFilter }), []);
  return (
    <section class={`inbox${selection.value.length ? " selecting" : ""}`} aria-label={t("inbox.chats")}>
      <header class="inbox-header">
        <div class="tabs" role="tablist" aria-label={t("inbox.lists")}>
          {TABS.map((name, index) => (
            <TabButton key={name} name={name} hint={String(index + 1)} />
          ))}
        </div>
        <div class="inbox-tools">
          <label class="search">
            <Icon name="search" size={15} />
            <input
              id="inbox-search"
              type="search"
              placeholder={t("inbox.search")}
              aria-label={t("inbox.searchChats")}
              value={searchText.value}
              onInput={(event) => {
                searchText.value = event.currentTarget.value;
              }}
              onKeyDown={(event) => {
                if (event.key !== "Escape") return;
                // The browser would empty the field without an event, and the filter would stay.
                event.preventDefault();
                if (searchText.value) searchText.value = "";
                else event.currentTarget.blur();
              }}
            />
          </label>
          {sites.value.length > 1 && <SiteSelect />}
          <IconButton
            icon="filter"
            label={t("labels.filter")}
            active={filterOpen.value || isFiltered.value}
            hint={shortcutHint("inbox.filter")}
            onClick={toggleFilter}
          />
        </div>
        {filterOpen.value && <FilterBar />}
        <SavedViews />
      </header>
      <MentionList />
      {conversationsLoaded.value && list.length ? (
        <VirtualList
          key={activeTab.value}
          id="inbox-list"
          class="inbox-list"
          role="tabpanel"
          label={label}
          items={list}
          rowHeightPx={ROW_HEIGHT_PX}
          selectedIndex={list.findIndex((conversation) => conversation.id === openId)}
          renderRow={(conversation) => (
            <ConversationRow
              key={conversation.id}
              conversation={conversation}
              selected={conversation.id === openId}
            />
          )}
        />
      ) : (
        <div class="inbox-list" id="inbox-list" role="tabpanel" aria-label={label}>
          {conversationsLoaded.value ? <EmptyInbox /> : <Spinner />}
        </div>
      )}
      {selection.value.length > 0 && <BulkBar />}
    </section>
  );
}

function TabButton({ name, hint }: { name: InboxTab; hint: string }) {
  const label = t(`inbox.tab_${name}`);
  const count = inboxLists.value[name].length;
  const { waiting, mine } = attentionCounts.value;
  const needsAttention = (name === "waiting" && waiting > 0) || (name === "mine" && mine > 0);
  return (
    <button
      type="button"
      role="tab"
      class="tab"
      aria-selected={activeTab.value === name}
      aria-controls="inbox-list"
      title={`${label} (${hint})`}
      onClick={() => {
        activeTab.value = name;
      }}
    >
      {label}
      {count > 0 && <span class={`count${needsAttention ? " attention" : ""}`}>{formatNumber(count)}</span>}
    </button>
  );
}

function SiteSelect() {
  return (
    <select
      class="compact"
      aria-label={t("common.site")}
      value={siteFilter.value ?? ""}
      onChange={(event) => {
        siteFilter.value = event.currentTarget.value ? Number(event.currentTarget.value) : undefined;
      }}
    >
      <option value="">{t("common.allSites")}</option>
      {sites.value.map((site) => (
        <option key={site.id} value={site.id}>
          {site.name}
        </option>
      ))}
    </select>
  );
}

function EmptyInbox() {
  if (searchText.value || siteFilter.value !== undefined || isFiltered.value) {
    return (
      <EmptyState icon="search" title={t("common.noMatchingChats")}>
        {t("inbox.noMatchText")}
      </EmptyState>
    );
  }
  if (activeTab.value === "waiting") {
    return (
      <EmptyState icon="done" title={t("inbox.noneWaiting")}>
        {t("inbox.noneWaitingText")}
      </EmptyState>
    );
  }
  if (activeTab.value === "snoozed") {
    return (
      <EmptyState icon="clock" title={t("labels.noneSnoozed")}>
        {t("labels.noneSnoozedText")}
      </EmptyState>
    );
  }
  if (activeTab.value === "mine") {
    return (
      <EmptyState icon="chats" title={t("inbox.noneMine")}>
        {t("inbox.noneMineText")}
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="chats" title={t("inbox.noneOpen")}>
      {t("inbox.noneOpenText")}
    </EmptyState>
  );
}

function ConversationRow({ conversation, selected }: { conversation: Conversation; selected: boolean }) {
  const { id, mode, unread, visitor } = conversation;
  const name = visitorName(conversation);
  const online = getOnlineVisitor(conversation.site_id, visitor.session_id) !== undefined;
  const needsAttention = unread > 0 && (mode === "pending" || isMine(conversation));
  const checked = isSelected(id);
  return (
    <div class={`row-slot${checked ? " checked" : ""}`}>
      <input
        type="checkbox"
        class="row-select"
        aria-label={t("labels.selectChat", { name })}
        checked={checked}
        onClick={(event) => (event.shiftKey ? selectRange(id) : toggleSelected(id))}
      />
      <a
        href={routeHref("chats", id)}
        class={`conversation-row${selected ? " selected" : ""}${needsAttention ? " attention" : ""}`}
        aria-current={selected ? "true" : undefined}
        onClick={(event) => {
          // As in lists elsewhere: with Shift up to this row, with Ctrl or ⌘ this one too.
          if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return;
          event.preventDefault();
          if (event.shiftKey) selectRange(id);
          else toggleSelected(id);
        }}
      >
        <Avatar name={name} online={online} />
        <span class="row-main">
          <span class="row-top">
            <span class="row-name" dir="auto">
              {name}
            </span>
            <RowTime conversation={conversation} />
          </span>
          <span class="row-bottom">
            <Preview conversation={conversation} />
            <span class="row-tags">
              <LabelChips conversation={conversation} max={MAX_ROW_LABELS} />
              <ViewerList id={id} small />
              {activeTab.value === "all" && <ModeTag conversation={conversation} />}
              {sites.value.length > 1 && (
                <span class="tag plain" dir="auto">
                  {getSiteName(conversation.site_id)}
                </span>
              )}
              {getTeamName(conversation.team_id) && (
                <span class="tag plain" dir="auto">
                  {getTeamName(conversation.team_id)}
                </span>
              )}
              {visitor.language && <span class="tag plain language">{visitor.language}</span>}
              {visitor.blocked && <span class="tag error">{t("inbox.blocked")}</span>}
            </span>
            {needsAttention && <span class="badge">{unread > 99 ? "99+" : formatNumber(unread)}</span>}
          </span>
        </span>
      </a>
    </div>
  );
}

function Preview({ conversation }: { conversation: Conversation }) {
  if (typingVisitors.value.has(conversation.id))
    return <span class="row-preview typing">{t("inbox.typing")}</span>;
  if (hasDraft(conversation.id)) {
    return (
      <span class="row-preview">
        <em>{t("inbox.draft")}</em>
      </span>
    );
  }
  const { role, text } = messagePreview(conversation);
  if (!role) return <span class="row-preview">{t("inbox.newChat")}</span>;
  return (
    <span class="row-preview" dir="auto">
      {role === "ai" && `${t("common.ai")}: `}
      {text || t("inbox.image")}
    </span>
  );
}

/** How long the visitor has been waiting; otherwise when the last message was written. */
function RowTime({ conversation }: { conversation: Conversation }) {
  const { reply_due_at: dueAt } = conversation;
  const dueInMs = dueAt ? Date.parse(dueAt) - now.value : Number.POSITIVE_INFINITY;
  if (isMine(conversation) && dueInMs < DUE_SOON_MS) {
    return (
      <span class="row-time waiting long" title={t("inbox.dueTitle")}>
        <Icon name="clock" size={12} />
        {t("inbox.requeuedIn", { duration: formatDuration(dueInMs) })}
      </span>
    );
  }
  if (!conversation.waiting_since) {
    const at = conversation.last_message?.created_at ?? conversation.updated_at;
    return <span class="row-time">{formatTimeOrDate(at)}</span>;
  }
  const waitedMs = now.value - Date.parse(conversation.waiting_since);
  const level = waitedMs > LONG_WAIT_MS ? " long" : waitedMs > MEDIUM_WAIT_MS ? " medium" : "";
  return (
    <span class={`row-time waiting${level}`}>
      <Icon name="clock" size={12} />
      <span class="visually-hidden">{t("inbox.waitingFor")} </span>
      {formatDuration(waitedMs)}
    </span>
  );
}
