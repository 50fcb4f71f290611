/** The visitors who are on the operator's sites now. */

import { computed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { OnlineVisitor } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { now } from "../components/clock";
import { Dialog, DialogActions } from "../components/dialog";
import { Avatar, EmptyState, PageLink } from "../components/display";
import { Icon } from "../components/icon";
import { languageName } from "../components/languages";
import { runWithToast } from "../components/toasts";
import { VirtualList } from "../components/virtualList";
import { formatDuration } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { anonymousName, conversations, visitorName } from "../inbox/conversations";
import { ModeTag } from "../inbox/modeTag";
import { navigate, routeHref } from "../navigation/route";
import { getSiteName, hasPermission } from "../sites/sites";
import { onlineVisitors, visitorToWriteTo } from "./presence";

/** As in lists.css; on a narrow screen a row has two lines. */
const ROW_HEIGHT_PX = 64;
const NARROW_ROW_HEIGHT_PX = 92;
const narrowScreen = matchMedia("(max-width: 760px)");

const visitorsByArrival = computed(() =>
  [...onlineVisitors.value.values()].sort((a, b) => (a.since < b.since ? 1 : a.since > b.since ? -1 : 0)),
);

export function VisitorsPage() {
  const recipient = visitorToWriteTo;
  useEffect(
    () => () => {
      recipient.value = null;
    },
    [],
  );
  const visitors = visitorsByArrival.value;
  return (
    <main class="page visitors-page">
      <header class="page-header">
        <h1>{t("visitors.title")}</h1>
        <p class="muted">{t("visitors.online", { count: visitors.length })}</p>
      </header>
      {visitors.length === 0 ? (
        <EmptyState icon="people" title={t("visitors.none")}>
          {t("visitors.noneText")}
        </EmptyState>
      ) : (
        <VirtualList
          id="visitor-list"
          class="visitor-list"
          role="list"
          label={t("visitors.listLabel")}
          items={visitors}
          rowHeightPx={narrowScreen.matches ? NARROW_ROW_HEIGHT_PX : ROW_HEIGHT_PX}
          selectedIndex={-1}
          renderRow={(visitor) => (
            <VisitorRow
              key={`${visitor.site_id}/${visitor.session_id}`}
              visitor={visitor}
              onWrite={() => (recipient.value = visitor)}
            />
          )}
        />
      )}
      {recipient.value && (
        <ProactiveMessageDialog visitor={recipient.value} onClose={() => (recipient.value = null)} />
      )}
    </main>
  );
}

function VisitorRow({ visitor, onWrite }: { visitor: OnlineVisitor; onWrite: () => void }) {
  const conversation = visitor.conversation_id ? conversations.value.get(visitor.conversation_id) : undefined;
  const open = conversation && conversation.mode !== "closed" ? conversation : undefined;
  const name = conversation ? visitorName(conversation) : anonymousName(visitor.session_id);
  return (
    <div class="visitor-row" role="listitem">
      <Avatar name={name} online />
      <div class="visitor-main">
        <p class="visitor-name">
          <strong dir="auto">{name}</strong>
          {open && <ModeTag conversation={open} />}
        </p>
        <p class="muted visitor-page">
          {visitor.page ? <PageLink page={visitor.page} title={visitor.title} /> : t("visitors.unknownPage")}
        </p>
      </div>
      <p class="muted visitor-meta">
        <span dir="auto">{getSiteName(visitor.site_id)}</span>
        {visitor.language && <span>{languageName(visitor.language)}</span>}
        <span>{formatDuration(now.value - Date.parse(visitor.since))}</span>
      </p>
      {open ? (
        <a class="button small" href={routeHref("chats", open.id)}>
          {t("visitors.openChat")}
        </a>
      ) : (
        hasPermission(visitor.site_id, "can_chat") && (
          <button type="button" class="button small" onClick={onWrite}>
            <Icon name="wave" size={15} /> {t("visitors.startChat")}
          </button>
        )
      )}
    </div>
  );
}

function ProactiveMessageDialog({ visitor, onClose }: { visitor: OnlineVisitor; onClose: () => void }) {
  const text = useSignal(t("visitors.greeting"));
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    await runWithToast(async () => {
      const { site_id, session_id } = visitor;
      const body = { site_id, session_id, content: text.value.trim() };
      const { message } = await api.post("/operator/proactive-message", { body });
      onClose();
      navigate("chats", message.conversation_id);
    }, t("visitors.sent"));
    busy.value = false;
  };
  return (
    <Dialog title={t("visitors.messageTo", { name: anonymousName(visitor.session_id) })} onClose={onClose}>
      <form onSubmit={submit}>
        <p class="muted">
          {t("visitors.viewing", { page: visitor.title || visitor.page || t("visitors.yourSite") })}
        </p>
        <textarea
          rows={4}
          dir="auto"
          maxLength={4000}
          required
          aria-label={t("visitors.message")}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value || !text.value.trim()}>
            {t("visitors.send")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
