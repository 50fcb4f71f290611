/** The whole panel: the login page, or the sidebar and the page that the URL names. */

import { useEffect } from "preact/hooks";
import { CommandOverlays } from "./commands/overlays";
import { usePanelActions } from "./commands/panelActions";
import { bindShortcuts, shortcutHint } from "./commands/registry";
import { EmptyState } from "./components/display";
import { lazy } from "./components/lazy";
import { ConfirmDialog, Toasts } from "./components/overlays";
import { ignoreDroppedFiles } from "./composer/droppedFiles";
import { ConversationPage } from "./conversation/conversationPage";
import { t, tx } from "./i18n/i18n";
import { Inbox } from "./inbox/inbox";
import { ConnectionBanner, SoundBanner } from "./live/connectionBanner";
import { navigate, route } from "./navigation/route";
import { Sidebar } from "./navigation/sidebar";
import { LoginPage } from "./session/loginPage";
import { me } from "./session/session";
import { startSession } from "./session/startSession";
import { opensByItself, refreshSetup, setupSite } from "./setup/setup";
import { isManager, sitesLoaded } from "./sites/sites";
import { VisitorsPage } from "./visitors/visitorsPage";

const ArchivePage = lazy(() => import("./archive/archivePage").then((module) => module.ArchivePage));
const AuditPage = lazy(() => import("./audit/auditPage").then((module) => module.AuditPage));
const RatingsPage = lazy(() => import("./ratings/ratingsPage").then((module) => module.RatingsPage));
const SearchPage = lazy(() => import("./search/searchPage").then((module) => module.SearchPage));
const ReportsPage = lazy(() => import("./reports/reportsPage").then((module) => module.ReportsPage));
const SettingsPage = lazy(() => import("./settings/settingsPage").then((module) => module.SettingsPage));
const SetupPage = lazy(() => import("./setup/setupPage").then((module) => module.SetupPage));
const SitesPage = lazy(() => import("./sites/sitesPage").then((module) => module.SitesPage));
const TeamPage = lazy(() => import("./team/teamPage").then((module) => module.TeamPage));

export function App() {
  return (
    <>
      {me.value ? <Workspace key={me.value.id} /> : <LoginPage />}
      <ConfirmDialog />
      <Toasts />
    </>
  );
}

function Workspace() {
  useEffect(startSession, []);
  useEffect(bindShortcuts, []);
  useEffect(ignoreDroppedFiles, []);
  usePanelActions();
  useSetup();
  const current = route.value;
  const chatOpen = current.page === "chats" && current.conversation !== undefined;
  return (
    <div class={`app-layout${chatOpen ? " chat-open" : ""}`}>
      <Sidebar />
      <div class="page-area">
        <ConnectionBanner />
        <SoundBanner />
        <Page />
      </div>
      <CommandOverlays />
    </div>
  );
}

/** Finds out what is left of the first run, and opens it in an empty installation. */
function useSetup(): void {
  const mayManage = sitesLoaded.value && isManager.value;
  useEffect(() => {
    // Without an answer the sidebar does not offer it; the page itself fetches again.
    if (mayManage) refreshSetup().catch(() => undefined);
  }, [mayManage, setupSite.value?.id]);
  useEffect(() => {
    if (opensByItself.value && route.value.page === "chats") navigate("setup");
  }, [opensByItself.value]);
}

function Page() {
  const current = route.value;
  switch (current.page) {
    case "chats":
      return <ChatsPage openId={current.conversation} entry={current.entry} />;
    case "visitors":
      return <VisitorsPage />;
    case "sites":
      return <SitesPage id={current.site} tab={current.tab} />;
    case "setup":
      return <SetupPage />;
    case "team":
      return <TeamPage />;
    case "ratings":
      return <RatingsPage id={current.site} />;
    case "reports":
      return <ReportsPage />;
    case "archive":
      return <ArchivePage viewId={current.view} />;
    case "search":
      return <SearchPage />;
    case "audit":
      return <AuditPage />;
    case "settings":
      return <SettingsPage section={current.section} />;
  }
}

function ChatsPage({ openId, entry }: { openId: number | undefined; entry: string | undefined }) {
  return (
    <main class={`chats-page${openId === undefined ? "" : " open"}`}>
      <Inbox />
      {openId === undefined ? (
        <div class="conversation">
          <EmptyState icon="chats" title={t("app.noChatSelected")}>
            <p>
              {tx("app.noChatHint", {
                next: <kbd>j</kbd>,
                help: <kbd>?</kbd>,
                search: <kbd>{shortcutHint("commands.open")}</kbd>,
              })}
            </p>
          </EmptyState>
        </div>
      ) : (
        <ConversationPage id={openId} entry={entry} />
      )}
    </main>
  );
}
