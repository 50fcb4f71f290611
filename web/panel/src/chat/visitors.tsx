/** Who is on the sites now, and a first word to them. */
import { useSignal } from "@preact/signals";
import type { OnlineVisitor } from "../../../shared/views";
import { ask } from "../api/http";
import { chats, nameless, visitorName } from "../state/chats";
import { lasting, now } from "../state/clock";
import { visitors } from "../state/people";
import { go, link } from "../state/route";
import { may, siteName } from "../state/sites";
import { attempt } from "../state/toasts";
import { Avatar, Dialog, Empty } from "../ui/bits";
import { Icon } from "../ui/icon";
import { PageLink } from "./details";
import { languageName } from "./languages";
import { ModeTag } from "./queue";

export function Visitors() {
  const greeting = useSignal<OnlineVisitor | null>(null);
  const rows = [...visitors.value.values()].sort((a, b) => Date.parse(b.since) - Date.parse(a.since));
  return (
    <main class="page">
      <header class="page-head">
        <h1>Visitors</h1>
        <p class="faint">
          {rows.length === 1 ? "One person is" : `${rows.length} people are`} on your sites now.
        </p>
      </header>
      {rows.length === 0 ? (
        <Empty icon="people" title="Nobody is here">
          People on your sites appear here as soon as a page with the widget opens.
        </Empty>
      ) : (
        <ul class="guest-list">
          {rows.map((one) => (
            <VisitorRow
              key={`${one.site_id}/${one.session_id}`}
              one={one}
              onGreet={() => (greeting.value = one)}
            />
          ))}
        </ul>
      )}
      {greeting.value && <Greeting one={greeting.value} onClose={() => (greeting.value = null)} />}
    </main>
  );
}

function VisitorRow({ one, onGreet }: { one: OnlineVisitor; onGreet: () => void }) {
  const row = one.conversation_id ? chats.value.get(one.conversation_id) : undefined;
  const open = row && row.mode !== "closed" ? row : undefined;
  const name = row ? visitorName(row) : nameless(one.session_id);
  return (
    <li class="guest">
      <Avatar name={name} online />
      <div class="guest-main">
        <p class="guest-name">
          <strong dir="auto">{name}</strong>
          {open && <ModeTag row={open} />}
        </p>
        <p class="faint guest-page">
          {one.page ? <PageLink page={one.page} title={one.title} /> : "Page unknown"}
        </p>
      </div>
      <p class="faint guest-facts">
        <span>{siteName(one.site_id)}</span>
        {one.language && <span>{languageName(one.language)}</span>}
        <span>{lasting(now.value - Date.parse(one.since))}</span>
      </p>
      {open ? (
        <a class="button small" href={link("chats", open.id)}>
          Open chat
        </a>
      ) : (
        may(one.site_id, "can_chat") && (
          <button type="button" class="button small" onClick={onGreet}>
            <Icon name="wave" size={15} /> Say hello
          </button>
        )
      )}
    </li>
  );
}

function Greeting({ one, onClose }: { one: OnlineVisitor; onClose: () => void }) {
  const text = useSignal("Hi! Can I help you with anything?");
  const busy = useSignal(false);
  const send = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    await attempt(async () => {
      const body = { site_id: one.site_id, session_id: one.session_id, content: text.value.trim() };
      const answer = await ask<{ message?: { conversation_id: number } }>("/operator/proactive-message", {
        body,
      });
      onClose();
      if (answer.message) go("chats", answer.message.conversation_id);
    }, "Sent.");
    busy.value = false;
  };
  return (
    <Dialog title={`Write to ${nameless(one.session_id)}`} onClose={onClose}>
      <form onSubmit={send}>
        <p class="faint">
          They are looking at “{one.title || one.page || "your site"}”. The widget shows it at once.
        </p>
        <textarea
          rows={4}
          dir="auto"
          maxLength={4000}
          required
          aria-label="Message"
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy.value || !text.value.trim()}>
            Send
          </button>
        </div>
      </form>
    </Dialog>
  );
}
