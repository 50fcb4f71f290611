/** The queue: who waits and for how long, what is mine, what else is open. */
import { useEffect, useRef } from "preact/hooks";
import type { Conversation, Role } from "../../../shared/views";
import {
  attention,
  isMine,
  lists,
  loaded,
  search,
  siteFilter,
  type Tab,
  tab,
  visitorName,
} from "../state/chats";
import { briefly, lasting, now } from "../state/clock";
import { hasDraft } from "../state/drafts";
import { typing, visitorAt } from "../state/people";
import { link, route } from "../state/route";
import { siteName, sites } from "../state/sites";
import { Avatar, Empty, Spinner } from "../ui/bits";
import { Icon } from "../ui/icon";

const TABS: [Tab, string][] = [
  ["waiting", "Waiting"],
  ["mine", "Mine"],
  ["all", "All"],
];

export function Queue() {
  const rows = lists.value[tab.value];
  return (
    <section class="queue" aria-label="Chats">
      <header class="queue-head">
        <div class="tabs" role="tablist" aria-label="Which chats">
          {TABS.map(([name, label], index) => (
            <TabButton key={name} name={name} label={label} hint={String(index + 1)} />
          ))}
        </div>
        <div class="queue-tools">
          <label class="search">
            <Icon name="search" size={15} />
            <input
              id="queue-search"
              type="search"
              placeholder="Search"
              aria-label="Search chats"
              value={search.value}
              onInput={(event) => {
                search.value = event.currentTarget.value;
              }}
              onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
            />
          </label>
          {sites.value.length > 1 && <SiteSelect />}
        </div>
      </header>
      <div class="queue-list" id="queue-list" role="tabpanel" aria-label={`${tab.value} chats`}>
        {!loaded.value ? (
          <Spinner />
        ) : rows.length ? (
          rows.map((row) => <Row key={row.id} row={row} />)
        ) : (
          <NoRows />
        )}
      </div>
    </section>
  );
}

function TabButton({ name, label, hint }: { name: Tab; label: string; hint: string }) {
  const count = lists.value[name].length;
  const calls =
    name === "waiting" ? attention.value.waiting > 0 : name === "mine" && attention.value.mine > 0;
  return (
    <button
      type="button"
      role="tab"
      class="tab"
      aria-selected={tab.value === name}
      aria-controls="queue-list"
      title={`${label} (${hint})`}
      onClick={() => {
        tab.value = name;
      }}
    >
      {label}
      <span class={`count${calls ? " calls" : ""}`}>{count}</span>
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

function NoRows() {
  if (search.value || siteFilter.value !== undefined) {
    return (
      <Empty icon="search" title="No chat fits">
        Try other words, or another list.
      </Empty>
    );
  }
  if (tab.value === "waiting") {
    return (
      <Empty icon="done" title="Nobody is waiting">
        Who asks for a person will appear here.
      </Empty>
    );
  }
  if (tab.value === "mine") {
    return (
      <Empty icon="chats" title="No chats of yours">
        Accept one from the queue, and it will be here.
      </Empty>
    );
  }
  return (
    <Empty icon="chats" title="All quiet">
      Chats appear here as visitors begin them.
    </Empty>
  );
}

const SPEAKER: Partial<Record<Role, string>> = { ai: "AI: ", operator: "", system: "" };

function Row({ row }: { row: Conversation }) {
  const element = useRef<HTMLAnchorElement>(null);
  const shown = route.value.screen === "chats" && route.value.conversation === row.id;
  useEffect(() => {
    if (shown) element.current?.scrollIntoView({ block: "nearest" });
  }, [shown]);
  const name = visitorName(row);
  const here = visitorAt(row.site_id, row.visitor.session_id) !== undefined;
  const calls = row.unread > 0 && (row.mode === "pending" || isMine(row));
  return (
    <a
      ref={element}
      href={link("chats", row.id)}
      class={`row${shown ? " shown" : ""}${calls ? " calls" : ""}`}
      aria-current={shown ? "true" : undefined}
    >
      <Avatar name={name} online={here} />
      <span class="row-main">
        <span class="row-top">
          <span class="row-name" dir="auto">
            {name}
          </span>
          <RowTime row={row} />
        </span>
        <span class="row-bottom">
          <Preview row={row} />
          {calls && <span class="badge">{row.unread > 99 ? "99+" : row.unread}</span>}
        </span>
        <span class="row-tags">
          <ModeTag row={row} />
          {sites.value.length > 1 && (
            <span class="tag plain" dir="auto">
              {siteName(row.site_id)}
            </span>
          )}
          {row.visitor.language && <span class="tag plain">{row.visitor.language}</span>}
          {row.visitor.blocked && <span class="tag bad">blocked</span>}
        </span>
      </span>
    </a>
  );
}

function Preview({ row }: { row: Conversation }) {
  if (typing.value.has(row.id)) return <span class="row-preview typing">typing…</span>;
  if (hasDraft(row.id)) {
    return (
      <span class="row-preview">
        <em>Draft not sent</em>
      </span>
    );
  }
  const last = row.last_message;
  if (!last) return <span class="row-preview">New conversation</span>;
  return (
    <span class="row-preview" dir="auto">
      {SPEAKER[last.role]}
      {last.preview || "Image"}
    </span>
  );
}

function RowTime({ row }: { row: Conversation }) {
  if (!row.waiting_since) {
    return <span class="row-time">{briefly(row.last_message?.created_at ?? row.updated_at)}</span>;
  }
  const waited = now.value - Date.parse(row.waiting_since);
  const level = waited > 300_000 ? " long" : waited > 60_000 ? " some" : "";
  return (
    <span class={`row-time waiting${level}`}>
      <Icon name="clock" size={12} />
      <span class="sr">waiting for </span>
      {lasting(waited)}
    </span>
  );
}

export function ModeTag({ row }: { row: Conversation }) {
  switch (row.mode) {
    case "pending":
      return <span class="tag warn">wants a person</span>;
    case "ai":
      return <span class="tag ai">AI</span>;
    case "closed":
      return <span class="tag plain">closed</span>;
    case "operator":
      return isMine(row) ? (
        <span class="tag mine">yours</span>
      ) : (
        <span class="tag plain" dir="auto">
          {row.operator?.name ?? "operator"}
        </span>
      );
  }
}
