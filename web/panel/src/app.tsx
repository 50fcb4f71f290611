/** The panel as a whole: the login, or the frame with its rail and the screen that the address names. */
import { useEffect } from "preact/hooks";
import { ArchiveScreen } from "./admin/archive";
import { AuditScreen } from "./admin/audit";
import { RatingsScreen } from "./admin/ratings";
import { SitesScreen } from "./admin/sites";
import { TeamScreen } from "./admin/team";
import { me } from "./api/session";
import { ConversationView } from "./chat/conversation";
import { Queue } from "./chat/queue";
import { Visitors } from "./chat/visitors";
import { Login } from "./login";
import { ConnectionBanner, Rail } from "./rail";
import { Settings } from "./settings";
import { lists, tab } from "./state/chats";
import { openDesk } from "./state/desk";
import { go, route } from "./state/route";
import { Empty } from "./ui/bits";
import { HelpDialog, helpShown, QuestionDialog, Toasts } from "./ui/layers";
import { onKeys } from "./ui/shortcuts";

export function App() {
  return (
    <>
      {me.value ? <Desk key={me.value.id} /> : <Login />}
      <QuestionDialog />
      <HelpDialog />
      <Toasts />
    </>
  );
}

function Desk() {
  useEffect(openDesk, []);
  useEffect(keys, []);
  const chatting = route.value.screen === "chats";
  const open = route.value.screen === "chats" && route.value.conversation !== undefined;
  return (
    <div class={`frame${open ? " in-chat" : ""}`}>
      <Rail />
      <div class="screen">
        <ConnectionBanner />
        {chatting ? <Chats /> : <Screen />}
      </div>
    </div>
  );
}

function Chats() {
  const shown = route.value.screen === "chats" ? route.value.conversation : undefined;
  return (
    <main class={`chats${shown === undefined ? "" : " open"}`}>
      <Queue />
      {shown === undefined ? (
        <div class="conversation nothing">
          <Empty icon="chats" title="No chat is open">
            <p>
              Choose one from the queue, or press <kbd>j</kbd>. All keys: <kbd>?</kbd>
            </p>
          </Empty>
        </div>
      ) : (
        <ConversationView id={shown} />
      )}
    </main>
  );
}

function Screen() {
  const shown = route.value;
  switch (shown.screen) {
    case "visitors":
      return <Visitors />;
    case "sites":
      return <SitesScreen id={shown.site} tab={shown.tab} />;
    case "team":
      return <TeamScreen />;
    case "ratings":
      return <RatingsScreen id={shown.site} />;
    case "archive":
      return <ArchiveScreen />;
    case "audit":
      return <AuditScreen />;
    case "settings":
      return <Settings />;
    case "chats":
      return null;
  }
}

function step(by: 1 | -1): void {
  const rows = lists.value[tab.value];
  const shown = route.value.screen === "chats" ? route.value.conversation : undefined;
  const at = rows.findIndex((row) => row.id === shown);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  if (next) go("chats", next.id);
}

function keys(): () => void {
  return onKeys({
    "?": () => {
      helpShown.value = true;
    },
    "g c": () => go("chats"),
    "g v": () => go("visitors"),
    f: () => document.getElementById("queue-search")?.focus(),
    "1": () => {
      tab.value = "waiting";
    },
    "2": () => {
      tab.value = "mine";
    },
    "3": () => {
      tab.value = "all";
    },
    j: () => step(1),
    k: () => step(-1),
    "Alt+ArrowDown": () => step(1),
    "Alt+ArrowUp": () => step(-1),
  });
}
