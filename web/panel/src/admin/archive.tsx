/** Everything that was ever said on a site: by words, by state, page by page; and who left an address. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation, Visitor } from "../../../shared/views";
import { ModeTag } from "../chat/queue";
import { nameless, visitorName } from "../state/chats";
import { briefly } from "../state/clock";
import { link } from "../state/route";
import { may, sites } from "../state/sites";
import { Avatar, Empty, Spinner } from "../ui/bits";
import { Icon } from "../ui/icon";
import { useFetched } from "./use";

interface Pagination {
  total: number;
  page: number;
  per_page: number;
  pages: number;
}

const SIZE = 30;

export function ArchiveScreen() {
  const seen = sites.value.filter((site) => may(site.id, "can_view_conversations"));
  const chosen = useSignal<number | undefined>(undefined);
  const view = useSignal<"conversations" | "leads">("conversations");
  const site = seen.find((one) => one.id === chosen.value) ?? seen[0];
  return (
    <main class="page">
      <header class="page-head">
        <h1>Archive</h1>
        <span class="grow" />
        <div class="segmented" role="group" aria-label="What">
          {(["conversations", "leads"] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={view.value === name}
              onClick={() => (view.value = name)}
            >
              {name === "leads" ? "Leads" : "Conversations"}
            </button>
          ))}
        </div>
        {seen.length > 1 && (
          <select
            aria-label="Site"
            value={site?.id}
            onChange={(event) => (chosen.value = Number(event.currentTarget.value))}
          >
            {seen.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </header>
      {!site ? (
        <Empty icon="list" title="Nothing for you here">
          You may not read the conversations of any site.
        </Empty>
      ) : view.value === "leads" ? (
        <Leads key={site.id} site={site.id} />
      ) : (
        <Conversations key={site.id} site={site.id} />
      )}
    </main>
  );
}

function Conversations({ site }: { site: number }) {
  const words = useSignal("");
  const asked = useSignal("");
  const status = useSignal("");
  const page = useSignal(1);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (asked.value !== words.value.trim()) page.value = 1;
      asked.value = words.value.trim();
    }, 300);
    return () => clearTimeout(timer);
  }, [words.value]);
  const query = new URLSearchParams({ page: String(page.value), per_page: String(SIZE) });
  if (asked.value) query.set("search", asked.value);
  if (status.value) query.set("status", status.value);
  const fetched = useFetched<{ conversations: Conversation[]; pagination: Pagination }>(
    `/sites/${site}/conversations?${query}`,
  );
  return (
    <>
      <div class="row-line">
        <label class="search wide">
          <Icon name="search" size={15} />
          <input
            type="search"
            placeholder="Name, e-mail or words"
            aria-label="Search the archive"
            maxLength={200}
            value={words.value}
            onInput={(event) => (words.value = event.currentTarget.value)}
          />
        </label>
        <select
          aria-label="State"
          value={status.value}
          onChange={(event) => {
            status.value = event.currentTarget.value;
            page.value = 1;
          }}
        >
          <option value="">Any state</option>
          <option value="closed">Closed</option>
          <option value="active">With an operator</option>
          <option value="pending">Waiting</option>
          <option value="ai">With the AI</option>
        </select>
      </div>
      {fetched.problem ? (
        <p class="bad-text">{fetched.problem}</p>
      ) : !fetched.value ? (
        <Spinner />
      ) : fetched.value.conversations.length === 0 ? (
        <Empty icon="search" title="No conversation fits" />
      ) : (
        <ul class="card archive">
          {fetched.value.conversations.map((row) => (
            <li key={row.id}>
              <a href={link("chats", row.id)}>
                <Avatar name={visitorName(row)} small />
                <strong dir="auto">{visitorName(row)}</strong>
                <span class="archive-text faint" dir="auto">
                  {row.last_message?.preview ?? ""}
                </span>
                {row.rating ? <span class="tag plain">{row.rating}★</span> : null}
                <ModeTag row={row} />
                <span class="faint archive-time">{briefly(row.created_at)}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {fetched.value && <Pages at={fetched.value.pagination} go={(to) => (page.value = to)} />}
    </>
  );
}

function Leads({ site }: { site: number }) {
  const page = useSignal(1);
  const fetched = useFetched<{ leads: (Visitor & { lead_at?: string | null })[]; pagination: Pagination }>(
    `/sites/${site}/leads?page=${page.value}&per_page=${SIZE}`,
  );
  if (fetched.problem) return <p class="bad-text">{fetched.problem}</p>;
  if (!fetched.value) return <Spinner />;
  if (fetched.value.leads.length === 0) {
    return (
      <Empty icon="people" title="No leads yet">
        Visitors who leave an address when nobody is there appear here.
      </Empty>
    );
  }
  return (
    <>
      <ul class="card archive">
        {fetched.value.leads.map((lead) => (
          <li key={lead.session_id} class="lead">
            <Avatar name={lead.name || lead.email || "?"} small />
            <strong dir="auto">{lead.name || nameless(lead.session_id)}</strong>
            <span class="archive-text">{lead.email}</span>
            <span class="faint">{lead.phone}</span>
            <span class="faint archive-time">{lead.lead_at ? briefly(lead.lead_at) : ""}</span>
          </li>
        ))}
      </ul>
      <Pages at={fetched.value.pagination} go={(to) => (page.value = to)} />
    </>
  );
}

function Pages({ at, go }: { at: Pagination; go: (page: number) => void }) {
  if (at.pages < 2) return null;
  return (
    <nav class="pages" aria-label="Pages">
      <button type="button" class="button small" disabled={at.page <= 1} onClick={() => go(at.page - 1)}>
        Newer
      </button>
      <span class="faint">
        {at.page} of {at.pages}
      </span>
      <button
        type="button"
        class="button small"
        disabled={at.page >= at.pages}
        onClick={() => go(at.page + 1)}
      >
        Older
      </button>
    </nav>
  );
}
