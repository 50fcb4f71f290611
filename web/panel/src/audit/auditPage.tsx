/** The audit log: who changed what, when and from which IP address. */

import { useSignal } from "@preact/signals";
import type { AuditEntry } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { formatDateTime } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { me } from "../session/session";
import { getSiteName, managedSites } from "../sites/sites";
import { describeAction, describeDetails, describeKind } from "./describe";

const PAGE_SIZE = 50;

export function AuditPage() {
  // Only an owner may read the log of all sites together.
  const siteId = useSignal<number | null>(me.value?.owner ? null : (managedSites.value[0]?.id ?? null));
  const fetched = usePagedFetch(`audit/${siteId.value}`, async (cursor) => {
    const query = { limit: PAGE_SIZE, site_id: siteId.value, cursor };
    const page = await api.get("/audit", { query });
    return { items: page.entries, nextCursor: page.next_cursor };
  });
  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("audit.title")}</h1>
        <span class="grow" />
        <select
          aria-label={t("common.site")}
          value={siteId.value ?? ""}
          onChange={(event) => (siteId.value = Number(event.currentTarget.value) || null)}
        >
          {me.value?.owner && <option value="">{t("common.allSites")}</option>}
          {managedSites.value.map((site) => (
            <option key={site.id} value={site.id}>
              {site.name}
            </option>
          ))}
        </select>
      </header>
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !fetched.items ? (
        <Spinner />
      ) : fetched.items.length === 0 ? (
        <EmptyState icon="book" title={t("audit.none")} />
      ) : (
        <AuditTable entries={fetched.items} />
      )}
      <LoadMoreButton onClick={fetched.loadMore} />
    </main>
  );
}

function AuditTable({ entries }: { entries: AuditEntry[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone.
    <div class="card scroll-x" tabIndex={0} role="region" aria-label={t("audit.log")}>
      <table class="audit-log">
        <thead>
          <tr>
            <th scope="col">{t("audit.time")}</th>
            <th scope="col">{t("common.operator")}</th>
            <th scope="col">{t("audit.action")}</th>
            <th scope="col">{t("audit.target")}</th>
            <th scope="col">{t("audit.ipAddress")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td class="audit-time">{formatDateTime(entry.at)}</td>
              <td class="audit-actor" dir="auto">
                {entry.operator.name}
              </td>
              <td>
                {describeAction(entry.action)}
                <Details text={describeDetails(entry.details)} />
              </td>
              <td>
                <Target entry={entry} />
              </td>
              <td class="muted">{entry.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Details = ({ text }: { text: string }) =>
  text ? (
    <span class="audit-details" lang="en" dir="ltr">
      {text}
    </span>
  ) : null;

function Target({ entry }: { entry: AuditEntry }) {
  const { kind, id } = entry.target;
  if (kind === "conversation")
    return <a href={routeHref("chats", id)}>{t("common.chatNumber", { id: String(id) })}</a>;
  if (kind === "site") return <span dir="auto">{getSiteName(Number(id))}</span>;
  return <span>{t("audit.kind_number", { kind: describeKind(kind), id: String(id) })}</span>;
}
