/** The archive of a site: all its conversations, searchable, and the leads its visitors left. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation, Pagination, SavedView } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Avatar, EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { anonymousName, messagePreview, visitorName } from "../inbox/conversations";
import { ModeTag } from "../inbox/modeTag";
import { LabelChips } from "../labels/labelChips";
import { labelsOfSite } from "../labels/labels";
import { routeHref } from "../navigation/route";
import { hasPermission, sites } from "../sites/sites";
import { FilterSelect, labelOptions, languageOptions, ratingOptions } from "../views/filterSelect";
import { SaveViewDialog } from "../views/saveViewDialog";
import { views } from "../views/views";

const PAGE_SIZE = 30;
const SEARCH_DELAY_MS = 300;

export function ArchivePage({ viewId }: { viewId: number | undefined }) {
  const readableSites = sites.value.filter((site) => hasPermission(site.id, "can_view_conversations"));
  const selectedId = useSignal<number | undefined>(undefined);
  const view = useSignal<"conversations" | "leads">("conversations");
  const saved = views.value.find((one) => one.id === viewId);
  const siteId = selectedId.value ?? saved?.filter.site_id ?? undefined;
  const site = readableSites.find((one) => one.id === siteId) ?? readableSites[0];
  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("archive.title")}</h1>
        <span class="grow" />
        <div class="segmented" role="group" aria-label={t("archive.view")}>
          {(["conversations", "leads"] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={view.value === name}
              onClick={() => (view.value = name)}
            >
              {name === "leads" ? t("archive.leads") : t("archive.chats")}
            </button>
          ))}
        </div>
        {readableSites.length > 1 && (
          <select
            aria-label={t("common.site")}
            value={site?.id}
            onChange={(event) => (selectedId.value = Number(event.currentTarget.value))}
          >
            {readableSites.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </header>
      {!site ? (
        <EmptyState icon="list" title={t("archive.noAccess")}>
          {t("archive.noAccessText")}
        </EmptyState>
      ) : view.value === "leads" ? (
        <Leads key={site.id} siteId={site.id} />
      ) : (
        <ArchivedConversations
          key={`${site.id}/${saved?.id}`}
          siteId={site.id}
          initial={saved && saved.filter.site_id === site.id ? saved.filter : undefined}
        />
      )}
    </main>
  );
}

interface ArchivedConversationsProps {
  siteId: number;
  /** The filter of the saved view that was opened. */
  initial: SavedView["filter"] | undefined;
}

interface ArchiveFilter {
  status: string | null;
  label_id: number | null;
  rating: number | null;
  language: string | null;
}

function ArchivedConversations({ siteId, initial }: ArchivedConversationsProps) {
  const typed = useSignal(initial?.search ?? "");
  const search = useSignal(initial?.search ?? "");
  const filter = useSignal<ArchiveFilter>({
    status: initial?.status ?? null,
    label_id: initial?.label_id ?? null,
    rating: initial?.rating ?? null,
    language: initial?.language ?? null,
  });
  const page = useSignal(1);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (search.value !== typed.value.trim()) page.value = 1;
      search.value = typed.value.trim();
    }, SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  const query = { page: page.value, per_page: PAGE_SIZE, search: search.value || null, ...filter.value };
  const fetched = useFetch(`archive/${siteId}/${JSON.stringify(query)}`, () =>
    api.get("/sites/{site_id}/conversations", { path: { site_id: siteId }, query }),
  );
  const change = (fields: Partial<ArchiveFilter>) => {
    filter.value = { ...filter.value, ...fields };
    page.value = 1;
  };
  return (
    <>
      <div class="form-row">
        <SearchField typed={typed} />
        <FilterFields siteId={siteId} filter={filter.value} change={change} />
        <SaveButton siteId={siteId} filter={filter.value} search={search.value} />
      </div>
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !fetched.value ? (
        <Spinner />
      ) : (
        <ConversationList conversations={fetched.value.conversations} />
      )}
      {fetched.value && (
        <PageControls pagination={fetched.value.pagination} onPage={(number) => (page.value = number)} />
      )}
    </>
  );
}

const SearchField = ({ typed }: { typed: Signal<string> }) => (
  <label class="search wide">
    <Icon name="search" size={15} />
    <input
      type="search"
      placeholder={t("archive.searchPlaceholder")}
      aria-label={t("archive.search")}
      maxLength={200}
      value={typed.value}
      onInput={(event) => (typed.value = event.currentTarget.value)}
    />
  </label>
);

interface FilterFieldsProps {
  siteId: number;
  filter: ArchiveFilter;
  change: (fields: Partial<ArchiveFilter>) => void;
}

function FilterFields({ siteId, filter, change }: FilterFieldsProps) {
  return (
    <>
      <FilterSelect
        label={t("archive.status")}
        any={t("archive.anyStatus")}
        value={filter.status}
        options={[
          ["closed", t("common.closed")],
          ["active", t("archive.active")],
          ["pending", t("common.waiting")],
          ["ai", t("archive.withAi")],
        ]}
        onChange={(status) => change({ status })}
      />
      <FilterSelect
        label={t("labels.label")}
        any={t("labels.anyLabel")}
        value={filter.label_id}
        options={labelOptions(labelsOfSite(siteId))}
        onChange={(label_id) => change({ label_id })}
      />
      <FilterSelect
        label={t("conversation.rating")}
        any={t("labels.anyRating")}
        value={filter.rating}
        options={ratingOptions()}
        onChange={(rating) => change({ rating })}
      />
      <FilterSelect
        label={t("common.language")}
        any={t("labels.anyLanguage")}
        value={filter.language}
        options={languageOptions()}
        onChange={(language) => change({ language })}
      />
    </>
  );
}

/** Saves what is shown as a view of closed conversations. */
function SaveButton({ siteId, filter, search }: { siteId: number; filter: ArchiveFilter; search: string }) {
  const saving = useSignal(false);
  const view = {
    ...filter,
    status: "closed",
    site_id: siteId,
    team_id: null,
    operator_id: null,
    waiting: null,
    search: search || null,
  };
  return (
    <>
      <button type="button" class="button small" onClick={() => (saving.value = true)}>
        {t("labels.saveView")}
      </button>
      {saving.value && <SaveViewDialog filter={view} onClose={() => (saving.value = false)} />}
    </>
  );
}

function ConversationList({ conversations }: { conversations: readonly Conversation[] }) {
  if (conversations.length === 0) return <EmptyState icon="search" title={t("common.noMatchingChats")} />;
  return (
    <ul class="card archive">
      {conversations.map((conversation) => (
        <li key={conversation.id}>
          <a href={routeHref("chats", conversation.id)}>
            <Avatar name={visitorName(conversation)} small />
            <strong dir="auto">{visitorName(conversation)}</strong>
            <span class="archive-text muted" dir="auto">
              {messagePreview(conversation).text}
            </span>
            {conversation.rating ? <span class="tag plain">{conversation.rating}★</span> : null}
            <LabelChips conversation={conversation} max={3} />
            <ModeTag conversation={conversation} />
            <span class="muted archive-time">{formatTimeOrDate(conversation.created_at)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Leads({ siteId }: { siteId: number }) {
  const page = useSignal(1);
  const query = { page: page.value, per_page: PAGE_SIZE };
  const fetched = useFetch(`leads/${siteId}/${page.value}`, () =>
    api.get("/sites/{site_id}/leads", { path: { site_id: siteId }, query }),
  );
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  if (fetched.value.leads.length === 0) {
    return (
      <EmptyState icon="people" title={t("archive.noLeads")}>
        {t("archive.noLeadsText")}
      </EmptyState>
    );
  }
  return (
    <>
      <ul class="card archive">
        {fetched.value.leads.map((lead) => (
          <li key={lead.session_id} class="lead">
            <Avatar name={lead.name || lead.email || "?"} small />
            <strong dir="auto">{lead.name || anonymousName(lead.session_id)}</strong>
            <span class="archive-text">{lead.email}</span>
            <span class="muted">{lead.phone}</span>
            <span class="muted archive-time">{lead.lead_at ? formatTimeOrDate(lead.lead_at) : ""}</span>
          </li>
        ))}
      </ul>
      <PageControls pagination={fetched.value.pagination} onPage={(number) => (page.value = number)} />
    </>
  );
}

interface PageControlsProps {
  pagination: Pagination;
  onPage: (page: number) => void;
}

function PageControls({ pagination: { page, pages }, onPage }: PageControlsProps) {
  if (pages < 2) return null;
  return (
    <nav class="pagination" aria-label={t("archive.pages")}>
      <button type="button" class="button small" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        {t("archive.newer")}
      </button>
      <span class="muted">{t("archive.pageOf", { page, pages })}</span>
      <button type="button" class="button small" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        {t("archive.older")}
      </button>
    </nav>
  );
}
