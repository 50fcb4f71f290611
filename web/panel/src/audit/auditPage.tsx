/** The audit log: who changed what, when and from which IP address. */
import { useSignal } from "@preact/signals";
import type { AuditEntry } from "../../../shared/apiTypes";
import { formatDateTime } from "../../../shared/dates";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { routeHref } from "../navigation/route";
import { me } from "../session/session";
import { getSiteName, managedSites } from "../sites/sites";
import { describeAction, describeDetails } from "./describe";

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
        <h1>Audit</h1>
        <span class="grow" />
        <select
          aria-label="Site"
          value={siteId.value ?? ""}
          onChange={(event) => (siteId.value = Number(event.currentTarget.value) || null)}
        >
          {me.value?.owner && <option value="">All sites</option>}
          {managedSites.value.map((site) => (
            <option key={site.id} value={site.id}>
              {site.name}
            </option>
          ))}
        </select>
      </header>
      {fetched.error ? (
        <p class="error-text">{fetched.error}</p>
      ) : !fetched.items ? (
        <Spinner />
      ) : fetched.items.length === 0 ? (
        <EmptyState icon="book" title="No entries yet" />
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
    <div class="card scroll-x" tabIndex={0} role="region" aria-label="Audit log">
      <table class="audit-log">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Operator</th>
            <th scope="col">Action</th>
            <th scope="col">Target</th>
            <th scope="col">IP address</th>
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

const Details = ({ text }: { text: string }) => (text ? <span class="audit-details">{text}</span> : null);

function Target({ entry }: { entry: AuditEntry }) {
  const { kind, id } = entry.target;
  if (kind === "conversation") return <a href={routeHref("chats", id)}>Chat #{id}</a>;
  if (kind === "site") return <span dir="auto">{getSiteName(Number(id))}</span>;
  const label = kind.replaceAll("_", " ");
  return (
    <span>
      {label.charAt(0).toUpperCase() + label.slice(1)} #{id}
    </span>
  );
}
