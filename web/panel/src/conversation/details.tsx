/** The visitor's details: contact, what they do now, earlier conversations, whether they are blocked. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation, Visitor } from "../../../shared/apiTypes";
import { formatDateTime, formatDuration, formatTimeOrDate } from "../../../shared/dates";
import { api } from "../api/client";
import { now } from "../components/clock";
import { IconButton } from "../components/controls";
import { Avatar, PageLink } from "../components/display";
import { Icon } from "../components/icon";
import { languageName } from "../components/languages";
import { runWithToast } from "../components/toasts";
import { messagePreview, visitorName } from "../inbox/conversations";
import { routeHref } from "../navigation/route";
import { getSiteName, hasPermission } from "../sites/sites";
import { getOnlineVisitor } from "../visitors/presence";
import { blockDialogFor, setBlocked } from "./actions";
import type { Thread } from "./threads";

interface DetailsProps {
  thread: Thread;
  conversation: Conversation;
  onClose: () => void;
}

export function Details({ thread, conversation, onClose }: DetailsProps) {
  const { id, site_id: siteId, visitor, rating } = conversation;
  const name = visitorName(conversation);
  const online = getOnlineVisitor(siteId, visitor.session_id);
  return (
    <aside class="details" aria-label="Visitor">
      <header class="details-header">
        <Avatar name={name} online={online !== undefined} />
        <div class="details-name">
          <h2 dir="auto">{name}</h2>
          <p>{online ? <OnlineDuration since={online.since} /> : "Offline"}</p>
        </div>
        <IconButton icon="close" label="Hide details" onClick={onClose} class="details-close" />
      </header>
      <Contact conversation={conversation} key={`${id}`} />
      <section class="details-section">
        <h3>Now</h3>
        <dl class="detail-list">
          <Detail name="Page">
            {online?.page ? <PageLink page={online.page} title={online.title} /> : "–"}
          </Detail>
          <Detail name="Referrer">{online?.referrer ? <PageLink page={online.referrer} /> : "–"}</Detail>
          <Detail name="Language">{visitor.language ? languageName(visitor.language) : "–"}</Detail>
          <Detail name="Site">{getSiteName(siteId)}</Detail>
          <Detail name="Chat">#{id}</Detail>
          <Detail name="Started">{formatTimeOrDate(conversation.created_at)}</Detail>
          {rating ? <Detail name="Rating">{`${"★".repeat(rating)}${"☆".repeat(5 - rating)}`}</Detail> : null}
        </dl>
      </section>
      <EarlierConversations thread={thread} />
      {hasPermission(siteId, "can_chat") && <BlockStatus conversation={conversation} />}
    </aside>
  );
}

function OnlineDuration({ since }: { since: string }) {
  return (
    <span title={formatDateTime(since)} class="success-text">
      Online for {formatDuration(now.value - Date.parse(since))}
    </span>
  );
}

function Detail({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">{children}</dd>
    </div>
  );
}

const CONTACT_FIELDS = [
  ["name", "Name", "text"],
  ["email", "E-mail", "email"],
  ["phone", "Phone", "tel"],
] as const;

interface ContactFields {
  name: string;
  email: string;
  phone: string;
  /** Additional fields: name and value. */
  info: [string, string][];
}

const toContactFields = (visitor: Visitor): ContactFields => ({
  name: visitor.name ?? "",
  email: visitor.email ?? "",
  phone: visitor.phone ?? "",
  info: Object.entries(visitor.info),
});

function Contact({ conversation }: { conversation: Conversation }) {
  const editing = useSignal<ContactFields | null>(null);
  const fields = toContactFields(conversation.visitor);
  useEffect(
    () => () => {
      editing.value = null;
    },
    [],
  );
  if (editing.value) {
    return (
      <ContactForm
        id={conversation.id}
        fields={editing.value}
        onChange={(changed) => (editing.value = changed)}
        onClose={() => (editing.value = null)}
      />
    );
  }
  return (
    <section class="details-section">
      <h3>
        Contact
        {hasPermission(conversation.site_id, "can_chat") && (
          <IconButton icon="pencil" label="Edit contact" onClick={() => (editing.value = fields)} />
        )}
      </h3>
      <dl class="detail-list">
        <Detail name="Name">{fields.name || "–"}</Detail>
        <Detail name="E-mail">
          {fields.email ? (
            <a href={`mailto:${encodeURIComponent(fields.email).replace("%40", "@")}`}>{fields.email}</a>
          ) : (
            "–"
          )}
        </Detail>
        <Detail name="Phone">{fields.phone || "–"}</Detail>
        {fields.info.map(([name, value]) => (
          <Detail key={name} name={name}>
            {value}
          </Detail>
        ))}
      </dl>
    </section>
  );
}

interface ContactFormProps {
  id: number;
  fields: ContactFields;
  onChange: (fields: ContactFields) => void;
  onClose: () => void;
}

function ContactForm({ id, fields, onChange, onClose }: ContactFormProps) {
  const saving = useSignal(false);
  const change = (changed: Partial<ContactFields>) => onChange({ ...fields, ...changed });
  const setInfo = (index: number, pair: [string, string]) =>
    change({ info: fields.info.map((old, at) => (at === index ? pair : old)) });
  const submit = async (event: Event) => {
    event.preventDefault();
    saving.value = true;
    const info = Object.fromEntries(
      fields.info.filter(([name]) => name.trim()).map(([name, value]) => [name.trim(), value]),
    );
    const body = {
      name: fields.name.trim() || null,
      email: fields.email.trim() || null,
      phone: fields.phone.trim() || null,
      info,
    };
    const save = () => api.put("/operator/conversation/{id}/visitor", { path: { id }, body });
    if (await runWithToast(save, "Saved.")) onClose();
    saving.value = false;
  };
  return (
    <form class="details-section" onSubmit={submit}>
      <h3>Contact</h3>
      {CONTACT_FIELDS.map(([field, label, type]) => (
        <label key={field} class="field">
          <span class="field-label">{label}</span>
          <input
            type={type}
            dir="auto"
            maxLength={200}
            value={fields[field]}
            onInput={(event) => change({ [field]: event.currentTarget.value })}
          />
        </label>
      ))}
      {fields.info.map(([name, value], index) => (
        <div key={index} class="field-pair">
          <input
            aria-label="Field name"
            placeholder="Field"
            maxLength={60}
            value={name}
            onInput={(event) => setInfo(index, [event.currentTarget.value, value])}
          />
          <input
            aria-label={`Value of ${name || "field"}`}
            placeholder="Value"
            dir="auto"
            maxLength={1000}
            value={value}
            onInput={(event) => setInfo(index, [name, event.currentTarget.value])}
          />
        </div>
      ))}
      <button type="button" class="text-button" onClick={() => change({ info: [...fields.info, ["", ""]] })}>
        <Icon name="plus" size={14} /> Add field
      </button>
      <div class="form-actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="button primary" disabled={saving.value}>
          Save
        </button>
      </div>
    </form>
  );
}

function EarlierConversations({ thread }: { thread: Thread }) {
  return (
    <section class="details-section">
      <h3>Earlier chats</h3>
      {thread.previous.length === 0 ? (
        <p class="muted">No earlier chats</p>
      ) : (
        <ul class="earlier-conversations">
          {thread.previous.map((conversation) => (
            <li key={conversation.id}>
              <a href={routeHref("chats", conversation.id)}>
                <span>{formatTimeOrDate(conversation.created_at)}</span>
                <span class="earlier-preview" dir="auto">
                  {messagePreview(conversation).text || `Chat #${conversation.id}`}
                </span>
                {conversation.rating ? <span class="tag plain">{conversation.rating}★</span> : null}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const BLOCKED_FROM = { both: "AI and operators", ai: "AI", operator: "operators" } as const;

function BlockStatus({ conversation: { id, visitor } }: { conversation: Conversation }) {
  const { blocked } = visitor;
  return (
    <section class="details-section">
      {blocked ? (
        <>
          <p class="error-text">
            <Icon name="block" size={15} /> Blocked from {BLOCKED_FROM[blocked]}
          </p>
          <button type="button" class="button small" onClick={() => setBlocked(id, false, blocked)}>
            Unblock
          </button>
        </>
      ) : (
        <button type="button" class="button small danger-quiet" onClick={() => (blockDialogFor.value = id)}>
          <Icon name="block" size={15} /> Block visitor
        </button>
      )}
    </section>
  );
}
