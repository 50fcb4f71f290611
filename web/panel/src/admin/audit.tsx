/** Who did what, when, and from where. */
import { useSignal } from "@preact/signals";
import { ask } from "../api/http";
import { me } from "../api/session";
import { exactly } from "../state/clock";
import { link } from "../state/route";
import { managed, siteName } from "../state/sites";
import { Empty, Spinner } from "../ui/bits";
import { useFetched } from "./use";

interface Entry {
  id: number;
  at: string;
  operator: { id: number | null; name: string };
  action: string;
  target: { kind: string; id: string };
  site_id: number | null;
  address: string;
  details: Record<string, unknown>;
}

interface Page {
  entries: Entry[];
  next_cursor: string | null;
}

export function AuditScreen() {
  // Only an owner sees the whole log; others name a site that they manage.
  const site = useSignal<string>(me.value?.owner ? "" : String(managed.value[0]?.id ?? ""));
  const query = new URLSearchParams({ limit: "50" });
  if (site.value) query.set("site_id", site.value);
  const fetched = useFetched<Page>(`/audit?${query}`);
  const page = fetched.value;
  const more = async () => {
    if (!page?.next_cursor) return;
    query.set("cursor", page.next_cursor);
    const next = await ask<Page>(`/audit?${query}`);
    fetched.set({ ...next, entries: [...page.entries, ...next.entries] });
  };
  return (
    <main class="page">
      <header class="page-head">
        <h1>Audit</h1>
        <span class="grow" />
        <select
          aria-label="Site"
          value={site.value}
          onChange={(event) => (site.value = event.currentTarget.value)}
        >
          {me.value?.owner && <option value="">Everything</option>}
          {managed.value.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </header>
      {fetched.problem ? (
        <p class="bad-text">{fetched.problem}</p>
      ) : !page ? (
        <Spinner />
      ) : page.entries.length === 0 ? (
        <Empty icon="book" title="Nothing has happened yet" />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone.
        <div class="card scroll-x" tabIndex={0} role="region" aria-label="Audit log">
          <table class="log">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">On</th>
                <th scope="col">From</th>
              </tr>
            </thead>
            <tbody>
              {page.entries.map((entry) => (
                <tr key={entry.id}>
                  <td class="when">{exactly(entry.at)}</td>
                  <td class="who" dir="auto">
                    {entry.operator.name}
                  </td>
                  <td>
                    {entry.action.replaceAll("_", " ").replace(".", ": ")}
                    <Details details={entry.details} />
                  </td>
                  <td>
                    <Target entry={entry} />
                  </td>
                  <td class="faint">{entry.address}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {page?.next_cursor && (
        <button type="button" class="button" onClick={more}>
          Show more
        </button>
      )}
    </main>
  );
}

function Details({ details }: { details: Record<string, unknown> }) {
  const text = Object.entries(details)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${plainly(value)}`)
    .join(", ");
  return text ? <span class="log-details">{text}</span> : null;
}

function plainly(value: unknown): string {
  if (Array.isArray(value)) return value.map(plainly).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Target({ entry }: { entry: Entry }) {
  const { kind, id } = entry.target;
  if (kind === "conversation") return <a href={link("chats", id)}>chat #{id}</a>;
  if (kind === "site") return <span dir="auto">{siteName(Number(id))}</span>;
  return (
    <span>
      {kind.replaceAll("_", " ")} {id}
    </span>
  );
}
