/** The list of open conversations, in three tabs: waiting, mine, all. */
import type { Conversation, Role } from "../../../shared/apiTypes";
import { formatDuration, formatTimeOrDate } from "../../../shared/dates";
import { now } from "../components/clock";
import { Avatar, EmptyState, Spinner } from "../components/display";
import { Icon } from "../components/icon";
import { VirtualList } from "../components/virtualList";
import { hasDraft } from "../composer/drafts";
import { route, routeHref } from "../navigation/route";
import { getSiteName, sites } from "../sites/sites";
import { getOnlineVisitor, typingVisitors } from "../visitors/presence";
import {
  activeTab,
  attentionCounts,
  conversationsLoaded,
  type InboxTab,
  inboxLists,
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
/** As in chats.css. */
const ROW_HEIGHT_PX = 58;

const TABS: [InboxTab, string][] = [
  ["waiting", "Waiting"],
  ["mine", "Mine"],
  ["all", "All"],
];

export function Inbox() {
  const list = inboxLists.value[activeTab.value];
  const label = `${activeTab.value} chats`;
  const openId = route.value.page === "chats" ? route.value.conversation : undefined;
  return (
    <section class="inbox" aria-label="Chats">
      <header class="inbox-header">
        <div class="tabs" role="tablist" aria-label="Chat lists">
          {TABS.map(([name, label], index) => (
            <TabButton key={name} name={name} label={label} hint={String(index + 1)} />
          ))}
        </div>
        <div class="inbox-tools">
          <label class="search">
            <Icon name="search" size={15} />
            <input
              id="inbox-search"
              type="search"
              placeholder="Search"
              aria-label="Search chats"
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
        </div>
      </header>
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
    </section>
  );
}

function TabButton({ name, label, hint }: { name: InboxTab; label: string; hint: string }) {
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
      <span class={`count${needsAttention ? " attention" : ""}`}>{count}</span>
    </button>
  );
}

function SiteSelect() {
  return (
    <select
      class="compact"
      aria-label="Site"
      value={siteFilter.value ?? ""}
      onChange={(event) => {
        siteFilter.value = event.currentTarget.value ? Number(event.currentTarget.value) : undefined;
      }}
    >
      <option value="">All sites</option>
      {sites.value.map((site) => (
        <option key={site.id} value={site.id}>
          {site.name}
        </option>
      ))}
    </select>
  );
}

function EmptyInbox() {
  if (searchText.value || siteFilter.value !== undefined) {
    return (
      <EmptyState icon="search" title="No matching chats">
        Try a different search or tab.
      </EmptyState>
    );
  }
  if (activeTab.value === "waiting") {
    return (
      <EmptyState icon="done" title="No one is waiting">
        Visitors waiting appear here.
      </EmptyState>
    );
  }
  if (activeTab.value === "mine") {
    return (
      <EmptyState icon="chats" title="Nothing assigned to you">
        Chats you accept appear here.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="chats" title="No open chats">
      New chats appear here.
    </EmptyState>
  );
}

function ConversationRow({ conversation, selected }: { conversation: Conversation; selected: boolean }) {
  const { id, mode, unread, visitor } = conversation;
  const name = visitorName(conversation);
  const online = getOnlineVisitor(conversation.site_id, visitor.session_id) !== undefined;
  const needsAttention = unread > 0 && (mode === "pending" || isMine(conversation));
  return (
    <a
      href={routeHref("chats", id)}
      class={`conversation-row${selected ? " selected" : ""}${needsAttention ? " attention" : ""}`}
      aria-current={selected ? "true" : undefined}
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
            {activeTab.value === "all" && <ModeTag conversation={conversation} />}
            {sites.value.length > 1 && (
              <span class="tag plain" dir="auto">
                {getSiteName(conversation.site_id)}
              </span>
            )}
            {visitor.language && <span class="tag plain">{visitor.language}</span>}
            {visitor.blocked && <span class="tag error">Blocked</span>}
          </span>
          {needsAttention && <span class="badge">{unread > 99 ? "99+" : unread}</span>}
        </span>
      </span>
    </a>
  );
}

const AUTHOR_PREFIX: Partial<Record<Role, string>> = { ai: "AI: " };

function Preview({ conversation }: { conversation: Conversation }) {
  if (typingVisitors.value.has(conversation.id)) return <span class="row-preview typing">typing…</span>;
  if (hasDraft(conversation.id)) {
    return (
      <span class="row-preview">
        <em>Draft</em>
      </span>
    );
  }
  const { role, text } = messagePreview(conversation);
  if (!role) return <span class="row-preview">New chat</span>;
  return (
    <span class="row-preview" dir="auto">
      {AUTHOR_PREFIX[role]}
      {text || "Image"}
    </span>
  );
}

/** How long the visitor has been waiting; otherwise when the last message was written. */
function RowTime({ conversation }: { conversation: Conversation }) {
  const { reply_due_at: dueAt } = conversation;
  const dueInMs = dueAt ? Date.parse(dueAt) - now.value : Number.POSITIVE_INFINITY;
  if (isMine(conversation) && dueInMs < DUE_SOON_MS) {
    return (
      <span class="row-time waiting long" title="Without a reply this chat returns to the queue">
        <Icon name="clock" size={12} />
        Requeued in {formatDuration(dueInMs)}
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
      <span class="visually-hidden">waiting for </span>
      {formatDuration(waitedMs)}
    </span>
  );
}
