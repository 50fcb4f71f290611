/** Who the visitor is: what they told, where they are, what went before. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { safeAddress } from "../../../shared/linkify";
import type { Conversation, Visitor } from "../../../shared/views";
import { ask } from "../api/http";
import { visitorName } from "../state/chats";
import { briefly, exactly, lasting, now } from "../state/clock";
import { visitorAt } from "../state/people";
import { link } from "../state/route";
import { may, siteName } from "../state/sites";
import type { Thread } from "../state/threads";
import { attempt } from "../state/toasts";
import { Avatar, IconButton } from "../ui/bits";
import { Icon } from "../ui/icon";
import { block, blocking } from "./actions";
import { languageName } from "./languages";

export function Details({
  thread,
  row,
  onClose,
}: {
  thread: Thread;
  row: Conversation;
  onClose: () => void;
}) {
  const online = visitorAt(row.site_id, row.visitor.session_id);
  return (
    <aside class="details" aria-label="Visitor">
      <header class="details-head">
        <Avatar name={visitorName(row)} online={online !== undefined} />
        <div class="details-name">
          <h2 dir="auto">{visitorName(row)}</h2>
          <p>{online ? <Since iso={online.since} /> : "Not on the site now"}</p>
        </div>
        <IconButton icon="close" label="Hide details" onClick={onClose} class="details-close" />
      </header>
      <Contact row={row} key={`${row.id}`} />
      <section class="details-part">
        <h3>Now</h3>
        <dl class="facts">
          <Fact name="Page">{online?.page ? <PageLink page={online.page} title={online.title} /> : "–"}</Fact>
          <Fact name="Came from">{online?.referrer ? <PageLink page={online.referrer} /> : "–"}</Fact>
          <Fact name="Language">{row.visitor.language ? languageName(row.visitor.language) : "–"}</Fact>
          <Fact name="Site">{siteName(row.site_id)}</Fact>
          <Fact name="Chat">
            #{row.id}, begun {briefly(row.created_at)}
          </Fact>
          {row.rating ? (
            <Fact name="Rating">{`${"★".repeat(row.rating)}${"☆".repeat(5 - row.rating)}`}</Fact>
          ) : null}
        </dl>
      </section>
      <Previous thread={thread} />
      {may(row.site_id, "can_chat") && <Blocked row={row} />}
    </aside>
  );
}

function Since({ iso }: { iso: string }) {
  return (
    <span title={exactly(iso)} class="good-text">
      On the site for {lasting(now.value - Date.parse(iso))}
    </span>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  );
}

export function PageLink({ page, title }: { page: string; title?: string | null | undefined }) {
  const address = safeAddress(page);
  const text = title || page.replace(/^https?:\/\//, "");
  if (!address) return <span title={page}>{text}</span>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={page} class="page-link">
      {text}
    </a>
  );
}

const FIELDS = [
  ["name", "Name", "name"],
  ["email", "E-mail", "email"],
  ["phone", "Phone", "tel"],
] as const;

type Editable = { name: string; email: string; phone: string; info: [string, string][] };

const editable = (visitor: Visitor): Editable => ({
  name: visitor.name ?? "",
  email: visitor.email ?? "",
  phone: visitor.phone ?? "",
  info: Object.entries(visitor.info ?? {}),
});

function Contact({ row }: { row: Conversation }) {
  const editing = useSignal<Editable | null>(null);
  const saving = useSignal(false);
  const form = editing.value;
  const shown = editable(row.visitor);
  const change = (fields: Partial<Editable>) => {
    if (editing.value) editing.value = { ...editing.value, ...fields };
  };
  const save = async (event: Event) => {
    event.preventDefault();
    if (!form) return;
    saving.value = true;
    const info = Object.fromEntries(
      form.info.filter(([name]) => name.trim()).map(([name, value]) => [name.trim(), value]),
    );
    const body = {
      name: form.name.trim() || null,
      email: form.email.trim() || null,
      phone: form.phone.trim() || null,
      info,
    };
    const path = `/operator/conversation/${row.id}/visitor`;
    if (await attempt(() => ask(path, { method: "PUT", body }), "Saved.")) editing.value = null;
    saving.value = false;
  };
  useEffect(
    () => () => {
      editing.value = null;
    },
    [],
  );

  if (!form) {
    return (
      <section class="details-part">
        <h3>
          Contact
          {may(row.site_id, "can_chat") && (
            <IconButton icon="pencil" label="Edit contact" onClick={() => (editing.value = shown)} />
          )}
        </h3>
        <dl class="facts">
          <Fact name="Name">{shown.name || "–"}</Fact>
          <Fact name="E-mail">
            {shown.email ? (
              <a href={`mailto:${encodeURIComponent(shown.email).replace("%40", "@")}`}>{shown.email}</a>
            ) : (
              "–"
            )}
          </Fact>
          <Fact name="Phone">{shown.phone || "–"}</Fact>
          {shown.info.map(([name, value]) => (
            <Fact key={name} name={name}>
              {value}
            </Fact>
          ))}
        </dl>
      </section>
    );
  }
  return (
    <form class="details-part" onSubmit={save}>
      <h3>Contact</h3>
      {FIELDS.map(([field, label, type]) => (
        <label key={field} class="field slim">
          <span class="field-label">{label}</span>
          <input
            type={type === "name" ? "text" : type}
            dir="auto"
            maxLength={200}
            value={form[field]}
            onInput={(event) => change({ [field]: event.currentTarget.value })}
          />
        </label>
      ))}
      {form.info.map(([name, value], index) => (
        <div key={index} class="pair">
          <input
            aria-label="Field"
            placeholder="Field"
            maxLength={60}
            value={name}
            onInput={(event) =>
              change({ info: replaced(form.info, index, [event.currentTarget.value, value]) })
            }
          />
          <input
            aria-label={`Value of ${name || "field"}`}
            placeholder="Value"
            dir="auto"
            maxLength={1000}
            value={value}
            onInput={(event) =>
              change({ info: replaced(form.info, index, [name, event.currentTarget.value]) })
            }
          />
        </div>
      ))}
      <button type="button" class="text-button" onClick={() => change({ info: [...form.info, ["", ""]] })}>
        <Icon name="plus" size={14} /> Add a field
      </button>
      <div class="form-actions">
        <button type="button" class="button" onClick={() => (editing.value = null)}>
          Cancel
        </button>
        <button type="submit" class="button primary" disabled={saving.value}>
          Save
        </button>
      </div>
    </form>
  );
}

function replaced<T>(list: readonly T[], index: number, value: T): T[] {
  return list.map((old, at) => (at === index ? value : old));
}

function Previous({ thread }: { thread: Thread }) {
  return (
    <section class="details-part">
      <h3>Earlier chats</h3>
      {thread.previous.length === 0 ? (
        <p class="faint">This is their first.</p>
      ) : (
        <ul class="earlier">
          {thread.previous.map((row) => (
            <li key={row.id}>
              <a href={link("chats", row.id)}>
                <span>{briefly(row.created_at)}</span>
                <span class="earlier-text" dir="auto">
                  {row.last_message?.preview || `Chat #${row.id}`}
                </span>
                {row.rating ? <span class="tag plain">{row.rating}★</span> : null}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const BLOCKED = { both: "for the AI and for people", ai: "for the AI", operator: "for people" } as const;

function Blocked({ row }: { row: Conversation }) {
  const blocked = row.visitor.blocked;
  return (
    <section class="details-part">
      {blocked ? (
        <>
          <p class="bad-text">
            <Icon name="block" size={15} /> Blocked {BLOCKED[blocked]}
          </p>
          <button type="button" class="button small" onClick={() => block(row.id, false, blocked)}>
            Unblock
          </button>
        </>
      ) : (
        <button type="button" class="button small quiet-grave" onClick={() => (blocking.value = row.id)}>
          <Icon name="block" size={15} /> Block visitor
        </button>
      )}
    </section>
  );
}
