/** Search in everything that was said: messages, private notes and visitors of all sites, newest first. */

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SearchHit } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon, type IconName } from "../components/icon";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { me } from "../session/session";
import { getSiteName, hasPermission, sites } from "../sites/sites";
import "./search.css";
import { splitSnippet } from "./snippet";

const SEARCH_DELAY_MS = 250;
const PAGE_SIZE = 30;
const KINDS = ["messages", "notes", "visitors"] as const;
const ICONS: Record<SearchHit["kind"], IconName> = { message: "chats", note: "note", visitor: "people" };

// What was searched for is still there when the operator comes back from a chat; not for another operator.
let operatorId: number | undefined;
const typed = signal("");
const searched = signal("");
const kinds = signal<readonly string[]>(KINDS);
const siteId = signal<number | undefined>(undefined);

function clearForOther(): void {
  if (operatorId === me.value?.id) return;
  operatorId = me.value?.id;
  typed.value = "";
  searched.value = "";
  kinds.value = KINDS;
  siteId.value = undefined;
}

export function SearchPage() {
  useState(clearForOther);
  const page = useRef<HTMLElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  useEffect(() => {
    const timer = setTimeout(() => {
      searched.value = typed.value.trim();
    }, SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [input.current, ...(page.current?.querySelectorAll<HTMLElement>(".search-hits a") ?? [])];
    const index = stops.indexOf(document.activeElement as HTMLInputElement);
    const next = stops[index + (event.key === "ArrowDown" ? 1 : -1)];
    if (index < 0 || !next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <main class="page" ref={page} onKeyDown={onKeyDown}>
      <header class="page-header">
        <h1>{t("search.title")}</h1>
      </header>
      <search>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            searched.value = typed.value.trim();
            page.current?.querySelector<HTMLElement>(".search-hits a")?.focus();
          }}
        >
          <Filters inputRef={input} />
        </form>
      </search>
      {searched.value ? <Hits /> : <EmptyState icon="search" title={t("search.hint")} />}
    </main>
  );
}

function Filters({ inputRef }: { inputRef: { current: HTMLInputElement | null } }) {
  const readableSites = sites.value.filter((site) => hasPermission(site.id, "can_view_conversations"));
  const toggle = (kind: string) => {
    const changed = KINDS.filter((one) => kinds.value.includes(one) !== (one === kind));
    if (changed.length) kinds.value = changed;
  };
  return (
    <div class="form-row">
      <label class="search wide">
        <Icon name="search" size={15} />
        <input
          ref={inputRef}
          type="search"
          placeholder={t("search.placeholder")}
          aria-label={t("search.title")}
          maxLength={200}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      </label>
      <div class="segmented" role="group" aria-label={t("search.searchIn")}>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            aria-pressed={kinds.value.includes(kind)}
            onClick={() => toggle(kind)}
          >
            {t(`search.kind_${kind}`)}
          </button>
        ))}
      </div>
      {readableSites.length > 1 && (
        <select
          aria-label={t("common.site")}
          value={siteId.value ?? ""}
          onChange={(event) => (siteId.value = Number(event.currentTarget.value) || undefined)}
        >
          <option value="">{t("search.allSites")}</option>
          {readableSites.map((site) => (
            <option key={site.id} value={site.id}>
              {site.name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function Hits() {
  const query = {
    q: searched.value,
    in: kinds.value.join(","),
    site_id: siteId.value ?? null,
    limit: PAGE_SIZE,
  };
  const fetched = usePagedFetch(`search/${JSON.stringify(query)}`, async (cursor) => {
    const page = await api.get("/operator/search", { query: { ...query, cursor } });
    return { items: page.hits, nextCursor: page.next_cursor };
  });
  const { items, loadMore } = fetched;
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!items) return <Spinner />;
  if (items.length === 0 && !loadMore) return <EmptyState icon="search" title={t("search.nothing")} />;
  return (
    <>
      <p class="visually-hidden" role="status">
        {t("search.found", { count: items.length })}
      </p>
      <ul class="card search-hits" aria-label={t("search.results")}>
        {items.map((hit) => (
          <Hit key={`${hit.kind}${hit.id}`} hit={hit} />
        ))}
      </ul>
      <LoadMoreButton onClick={loadMore} text={t("search.more")} />
    </>
  );
}

function Hit({ hit }: { hit: SearchHit }) {
  const { conversation, kind } = hit;
  return (
    <li>
      <a href={hitHref(hit)}>
        <Icon name={ICONS[kind]} size={16} />
        <span class="search-hit-main">
          <span class="search-hit-header">
            <strong dir="auto">{conversation.visitor_name || t("search.anonymous")}</strong>
            <span class="muted">{describeAuthor(hit)}</span>
            {conversation.mode === "closed" && <span class="tag plain">{t("common.closed")}</span>}
          </span>
          <span class="search-hit-text" dir="auto">
            {splitSnippet(hit.snippet).map((part, index) =>
              part.marked ? <mark key={index}>{part.text}</mark> : part.text,
            )}
          </span>
        </span>
        <span class="muted search-hit-place">
          {sites.value.length > 1 && <span dir="auto">{getSiteName(conversation.site_id)}</span>}
          <time dateTime={hit.at}>{formatTimeOrDate(hit.at)}</time>
        </span>
      </a>
    </li>
  );
}

/** Opens the conversation where the hit is. */
function hitHref({ kind, id, seq, conversation }: SearchHit): string {
  if (kind === "visitor") return routeHref("chats", conversation.id);
  return routeHref("chats", conversation.id, kind === "note" ? `n${id}` : `m${seq}`);
}

function describeAuthor({ kind, role, author }: SearchHit): string {
  if (kind === "visitor") return t("search.visitor");
  if (kind === "note") return t("search.noteBy", { name: author?.name ?? t("common.operator") });
  if (role === "ai") return t("common.aiAssistant");
  return role === "operator" ? (author?.name ?? t("common.operator")) : t("search.visitor");
}
