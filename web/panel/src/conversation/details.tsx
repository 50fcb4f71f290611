/** The visitor's details: contact, what they do now, earlier conversations, whether they are blocked. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation, Visitor } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { now } from "../components/clock";
import { IconButton } from "../components/controls";
import { Avatar, PageLink } from "../components/display";
import { Icon } from "../components/icon";
import { languageName } from "../components/languages";
import { lazy } from "../components/lazy";
import { runWithToast } from "../components/toasts";
import { formatCost, formatDateTime, formatDuration, formatNumber, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { messagePreview, visitorName } from "../inbox/conversations";
import { routeHref } from "../navigation/route";
import { getSiteName, hasPermission, maySendTranscripts } from "../sites/sites";
import { getTeamName } from "../teams/teams";
import { getOnlineVisitor } from "../visitors/presence";
import { blockDialogFor, setBlocked, transcriptDialogFor } from "./actions";
import type { Thread } from "./threads";

const VisitorAnswers = lazy(() => import("../forms/visitorAnswers").then((module) => module.VisitorAnswers));

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
    <aside class="details" aria-label={t("conversation.visitor")}>
      <header class="details-header">
        <Avatar name={name} online={online !== undefined} />
        <div class="details-name">
          <h2 dir="auto">{name}</h2>
          <p>{online ? <OnlineDuration since={online.since} /> : t("common.offline")}</p>
        </div>
        <IconButton
          icon="close"
          label={t("conversation.hideDetails")}
          onClick={onClose}
          class="details-close"
        />
      </header>
      <Contact conversation={conversation} key={`${id}`} />
      <section class="details-section">
        <h3>{t("conversation.now")}</h3>
        <dl class="detail-list">
          <Detail name={t("conversation.page")}>
            {online?.page ? <PageLink page={online.page} title={online.title} /> : "–"}
          </Detail>
          <Detail name={t("conversation.referrer")}>
            {online?.referrer ? <PageLink page={online.referrer} /> : "–"}
          </Detail>
          <Detail name={t("common.language")}>
            {visitor.language ? languageName(visitor.language) : "–"}
          </Detail>
          <Detail name={t("common.site")}>{getSiteName(siteId)}</Detail>
          {getTeamName(conversation.team_id) && (
            <Detail name={t("teams.team")}>{getTeamName(conversation.team_id)}</Detail>
          )}
          <Detail name={t("conversation.chat")}>#{id}</Detail>
          <Detail name={t("conversation.started")}>{formatTimeOrDate(conversation.created_at)}</Detail>
          {thread.usage && <Detail name={t("conversation.aiCost")}>{describeUsage(thread.usage)}</Detail>}
          {rating ? (
            <Detail
              name={t("conversation.rating")}
            >{`${"★".repeat(rating)}${"☆".repeat(5 - rating)}`}</Detail>
          ) : null}
        </dl>
      </section>
      {visitor.form && <VisitorAnswers form={visitor.form} />}
      <EarlierConversations thread={thread} />
      {maySendTranscripts(siteId) && <TranscriptButton id={id} />}
      {hasPermission(siteId, "can_chat") && <BlockStatus conversation={conversation} />}
    </aside>
  );
}

/** The cost, where it is known, and the tokens. */
function describeUsage(usage: NonNullable<Thread["usage"]>): string {
  const tokens = usage.input_tokens + usage.output_tokens + usage.embedding_tokens;
  const counted = t("conversation.aiTokens", { tokens: formatNumber(tokens) });
  return usage.cost === null ? counted : `${formatCost(usage.cost, usage.currency)} · ${counted}`;
}

function OnlineDuration({ since }: { since: string }) {
  return (
    <span title={formatDateTime(since)} class="success-text">
      {t("conversation.onlineFor", { duration: formatDuration(now.value - Date.parse(since)) })}
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
  ["name", "text"],
  ["email", "email"],
  ["phone", "tel"],
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
        {t("conversation.contact")}
        {hasPermission(conversation.site_id, "can_chat") && (
          <IconButton
            icon="pencil"
            label={t("conversation.editContact")}
            onClick={() => (editing.value = fields)}
          />
        )}
      </h3>
      {conversation.visitor.verified && <Verified visitor={conversation.visitor} />}
      <dl class="detail-list">
        <Detail name={t("common.name")}>{fields.name || "–"}</Detail>
        <Detail name={t("common.email")}>
          {fields.email ? (
            <a href={`mailto:${encodeURIComponent(fields.email).replace("%40", "@")}`}>{fields.email}</a>
          ) : (
            "–"
          )}
        </Detail>
        <Detail name={t("common.phone")}>{fields.phone || "–"}</Detail>
        {fields.info.map(([name, value]) => (
          <Detail key={name} name={name}>
            {value}
          </Detail>
        ))}
      </dl>
    </section>
  );
}

const FIELD_NAMES = { name: "common.name", email: "common.email", phone: "common.phone" } as const;

/** What the site's own server has proved about the visitor. */
function Verified({ visitor }: { visitor: Visitor }) {
  const fields = visitor.verified_fields.map((field) => t(FIELD_NAMES[field])).join(", ");
  const hint = [t("identity.verifiedHint"), fields && t("identity.verifiedFields", { fields })];
  return (
    <>
      <p>
        <span class="tag success" title={hint.filter(Boolean).join(" ")}>
          <Icon name="done" size={14} /> {t("identity.verified")}
        </span>
      </p>
      <dl class="detail-list">
        <Detail name={t("identity.externalId")}>{visitor.external_id}</Detail>
        {Object.entries(visitor.attributes).map(([name, value]) => (
          <Detail key={name} name={name}>
            {String(value)}
          </Detail>
        ))}
      </dl>
    </>
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
    if (await runWithToast(save, t("common.saved"))) onClose();
    saving.value = false;
  };
  return (
    <form class="details-section" onSubmit={submit}>
      <h3>{t("conversation.contact")}</h3>
      {CONTACT_FIELDS.map(([field, type]) => (
        <label key={field} class="field">
          <span class="field-label">{t(`common.${field}`)}</span>
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
            aria-label={t("conversation.fieldName")}
            placeholder={t("conversation.field")}
            maxLength={60}
            value={name}
            onInput={(event) => setInfo(index, [event.currentTarget.value, value])}
          />
          <input
            aria-label={t("conversation.valueOf", { field: name || t("conversation.valueOfField") })}
            placeholder={t("conversation.value")}
            dir="auto"
            maxLength={1000}
            value={value}
            onInput={(event) => setInfo(index, [name, event.currentTarget.value])}
          />
        </div>
      ))}
      <button type="button" class="text-button" onClick={() => change({ info: [...fields.info, ["", ""]] })}>
        <Icon name="plus" size={14} /> {t("conversation.addField")}
      </button>
      <div class="form-actions">
        <button type="button" class="button" onClick={onClose}>
          {t("common.cancel")}
        </button>
        <button type="submit" class="button primary" disabled={saving.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

function EarlierConversations({ thread }: { thread: Thread }) {
  return (
    <section class="details-section">
      <h3>{t("conversation.earlier")}</h3>
      {thread.previous.length === 0 ? (
        <p class="muted">{t("conversation.noEarlier")}</p>
      ) : (
        <ul class="earlier-conversations">
          {thread.previous.map((conversation) => (
            <li key={conversation.id}>
              <a href={routeHref("chats", conversation.id)}>
                <span>{formatTimeOrDate(conversation.created_at)}</span>
                <span class="earlier-preview" dir="auto">
                  {messagePreview(conversation).text ||
                    t("common.chatNumber", { id: String(conversation.id) })}
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

function TranscriptButton({ id }: { id: number }) {
  return (
    <section class="details-section">
      <button type="button" class="button small" onClick={() => (transcriptDialogFor.value = id)}>
        <Icon name="mail" size={15} /> {t("conversation.sendTranscript")}
      </button>
    </section>
  );
}

function BlockStatus({ conversation: { id, visitor } }: { conversation: Conversation }) {
  const { blocked } = visitor;
  return (
    <section class="details-section">
      {blocked ? (
        <>
          <p class="error-text">
            <Icon name="block" size={15} /> {t(`conversation.blocked_${blocked}`)}
          </p>
          <button type="button" class="button small" onClick={() => setBlocked(id, false, blocked)}>
            {t("conversation.unblock")}
          </button>
        </>
      ) : (
        <button type="button" class="button small danger-quiet" onClick={() => (blockDialogFor.value = id)}>
          <Icon name="block" size={15} /> {t("conversation.blockVisitor")}
        </button>
      )}
    </section>
  );
}
