/** One conversation on the screen: its head with what can be done, its messages, the place to write, the details. */
import { useEffect, useLayoutEffect } from "preact/hooks";
import type { Conversation } from "../../../shared/views";
import { line } from "../api/live";
import { isMine, visitorName } from "../state/chats";
import { now } from "../state/clock";
import { visitorAt } from "../state/people";
import { detailsOpen, showTranslations } from "../state/prefs";
import { go } from "../state/route";
import { may, siteName } from "../state/sites";
import { loadThread, openingOf, rowOf, type Thread, threadOf } from "../state/threads";
import { Avatar, Empty, IconButton, Spinner } from "../ui/bits";
import { Icon } from "../ui/icon";
import { onKeys } from "../ui/shortcuts";
import { accept, close, markRead, release, transferring, writeReply } from "./actions";
import { Composer } from "./composer";
import { Details, PageLink } from "./details";
import { BlockDialog, TransferDialog } from "./dialogs";
import { ModeTag } from "./queue";
import { Timeline } from "./timeline";
import { TranslateButton, TranslationBar } from "./translation";

export function ConversationView({ id }: { id: number }) {
  const thread = threadOf(id);
  const row = rowOf(id);
  useEffect(() => {
    if (!threadOf(id)) void loadThread(id);
  }, [id, thread === undefined]);
  if (!thread || !row) return <Unopened id={id} />;
  const pane = detailsOpen.value ? " with-details" : "";
  return (
    <div class={`conversation${pane}`}>
      <section class="talk" aria-label={`Chat with ${visitorName(row)}`}>
        <Head row={row} thread={thread} />
        <TranslationBar row={row} thread={thread} />
        <Timeline key={id} thread={thread} row={row} />
        <Composer key={`c${id}`} row={row} />
      </section>
      {detailsOpen.value && <Details thread={thread} row={row} onClose={() => (detailsOpen.value = false)} />}
      <ReadKeeper row={row} />
      <Keys row={row} />
      {transferring.value === id && <TransferDialog row={row} />}
      <BlockDialog row={row} />
    </div>
  );
}

function Unopened({ id }: { id: number }) {
  const opening = openingOf(id);
  if (opening.state !== "failed") {
    return (
      <div class="conversation">
        <Spinner />
      </div>
    );
  }
  return (
    <div class="conversation">
      <Empty icon="info" title={opening.gone ? "There is no such chat" : "This chat could not be opened"}>
        <p>{opening.gone ? "It does not exist, or you may not see it." : opening.why}</p>
        <button type="button" class="button" onClick={() => (opening.gone ? go("chats") : loadThread(id))}>
          {opening.gone ? "Back to the queue" : "Try again"}
        </button>
      </Empty>
    </div>
  );
}

function Head({ row, thread }: { row: Conversation; thread: Thread }) {
  const online = visitorAt(row.site_id, row.visitor.session_id);
  const free = row.mode === "ai" || row.mode === "pending";
  const mine = isMine(row);
  const open = row.mode !== "closed" && may(row.site_id, "can_chat");
  const boss = may(row.site_id, "can_manage");
  return (
    <header class="talk-head">
      <IconButton icon="back" label="Back to the queue" class="only-narrow" onClick={() => go("chats")} />
      <Avatar name={visitorName(row)} online={online !== undefined} />
      <div class="talk-who">
        <h1 dir="auto" title={visitorName(row)}>
          {visitorName(row)}
        </h1>
        <p class="talk-where">
          <ModeTag row={row} />
          <span dir="auto">{siteName(row.site_id)}</span>
          {online?.page && <PageLink page={online.page} title={online.title} />}
        </p>
      </div>
      <div class="talk-actions">
        {open && free && (
          <button type="button" class="button primary" title="Accept (a)" onClick={() => accept(row)}>
            <Icon name="wave" size={16} /> Accept
          </button>
        )}
        <TranslateButton row={row} thread={thread} />
        {open && (mine || free || boss) && (
          <IconButton
            icon="transfer"
            label="Transfer"
            hint="t"
            onClick={() => (transferring.value = row.id)}
          />
        )}
        {open && (mine || (boss && row.mode === "operator") || row.mode === "pending") && (
          <IconButton icon="robot" label="Give back to the AI" hint="b" onClick={() => release(row)} />
        )}
        {open && (mine || free || boss) && (
          <IconButton icon="done" label="Close chat" hint="e" onClick={() => close(row)} />
        )}
        <IconButton
          icon="info"
          label="Details"
          hint="d"
          active={detailsOpen.value}
          onClick={() => (detailsOpen.value = !detailsOpen.value)}
        />
      </div>
    </header>
  );
}

/** Marks as read what the holder has before their eyes, and nothing else. */
function ReadKeeper({ row }: { row: Conversation }) {
  const looking = document.visibilityState === "visible" && document.hasFocus() && now.value > 0;
  const due =
    isMine(row) && row.operator_read_seq < row.last_seq && row.unread > 0 && line.value.state === "live";
  useEffect(() => {
    if (due && looking) void markRead(row, row.last_seq);
  }, [due && looking, row.last_seq, row.id]);
  return null;
}

function Keys({ row }: { row: Conversation }) {
  const open = row.mode !== "closed" && may(row.site_id, "can_chat");
  useLayoutEffect(
    () =>
      onKeys({
        d: () => {
          detailsOpen.value = !detailsOpen.value;
        },
        l: () => {
          showTranslations.value = !showTranslations.value;
        },
        ...(open && {
          a: () => void ((row.mode === "ai" || row.mode === "pending") && accept(row)),
          r: () => writeReply(),
          n: () => writeReply(true),
          t: () => {
            transferring.value = row.id;
          },
          b: () => void (row.mode !== "ai" && release(row)),
          e: () => void close(row),
        }),
      }),
    [row, open],
  );
  return null;
}
