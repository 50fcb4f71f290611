/** The actions that can be done on every page. */
import { runWithToast, showToast } from "../components/toasts";
import { language, t } from "../i18n/i18n";
import { activeTab, inboxLists } from "../inbox/conversations";
import { navigate, openConversationId, type Route, route } from "../navigation/route";
import { logOut } from "../session/logOut";
import { me } from "../session/session";
import { singleKeyShortcuts, soundEnabled, theme } from "../settings/preferences";
import { chatSites, isManager } from "../sites/sites";
import { onlineBySite, setOnline } from "../visitors/presence";
import type { CommandId } from "./catalogue";
import { commandBarOpen, requestAction, shortcutsOpen, useActions } from "./registry";

export function usePanelActions(): void {
  const isOwner = me.value?.owner === true;
  const online = chatSites.value.some((site) => onlineBySite.value.get(site.id) !== false);
  const mayChat = chatSites.value.length > 0;
  useActions(
    () => ({
      "commands.open": () => (commandBarOpen.value = true),
      "shortcuts.show": () => (shortcutsOpen.value = true),
      "inbox.search": searchInbox,
      "inbox.waiting": () => showTab("waiting"),
      "inbox.mine": () => showTab("mine"),
      "inbox.all": () => showTab("all"),
      "inbox.snoozed": () => showTab("snoozed"),
      "inbox.next": () => openNeighbour(1),
      "inbox.previous": () => openNeighbour(-1),
      "go.chats": go("chats"),
      "go.visitors": go("visitors"),
      "go.archive": go("archive"),
      "go.search": go("search"),
      "go.sites": isManager.value && go("sites"),
      "go.setup": isManager.value && go("setup"),
      "go.team": isManager.value && go("team"),
      "go.ratings": isManager.value && go("ratings"),
      "go.reports": isManager.value && go("reports"),
      "go.audit": isManager.value && go("audit"),
      "go.settings": go("settings"),
      "site.add": isOwner && openOn("sites", "site.add"),
      "member.invite": isManager.value && openOn("team", "member.invite"),
      "team.add": isManager.value && openOn("team", "team.add"),
      "label.add": isManager.value && openOn("settings", "label.add"),
      "cannedReply.add": openOn("settings", "cannedReply.add"),
      "status.toggle": mayChat && {
        label: t(online ? "commands.statusOffline" : "commands.statusOnline"),
        run: () => void setOnlineEverywhere(!online),
      },
      "theme.light": () => (theme.value = "light"),
      "theme.dark": () => (theme.value = "dark"),
      "theme.system": () => (theme.value = "system"),
      "sounds.toggle": {
        label: t(soundEnabled.value ? "commands.soundsOff" : "commands.soundsOn"),
        run: toggleSounds,
      },
      "singleKeys.toggle": {
        label: t(singleKeyShortcuts.value ? "commands.singleKeysOff" : "commands.singleKeysOn"),
        run: toggleSingleKeys,
      },
      "account.logOut": () => void logOut(),
    }),
    [isManager.value, isOwner, mayChat, online, soundEnabled.value, singleKeyShortcuts.value, language.value],
  );
}

const go = (page: Route["page"]) => () => navigate(page);

/** Opens a dialog of a page. */
const openOn = (page: Route["page"], id: CommandId) => () => {
  requestAction(id);
  navigate(page);
};

function showTab(tab: typeof activeTab.value): void {
  activeTab.value = tab;
  if (route.value.page !== "chats") navigate("chats");
}

function searchInbox(): void {
  const focus = () => document.getElementById("inbox-search")?.focus();
  if (route.value.page === "chats") focus();
  else {
    navigate("chats");
    requestAnimationFrame(focus);
  }
}

/** Opens the next (1) or previous (-1) conversation of the list. */
function openNeighbour(step: 1 | -1): void {
  const list = inboxLists.value[activeTab.value];
  const openId = openConversationId.value;
  const index = list.findIndex((conversation) => conversation.id === openId);
  const next = list[index < 0 ? (step > 0 ? 0 : list.length - 1) : index + step];
  if (next) navigate("chats", next.id);
}

async function setOnlineEverywhere(online: boolean): Promise<void> {
  await runWithToast(
    () => Promise.all(chatSites.value.map((site) => setOnline(site.id, online))),
    t(online ? "commands.statusIsOnline" : "commands.statusIsOffline"),
  );
}

function toggleSounds(): void {
  soundEnabled.value = !soundEnabled.value;
  showToast(t(soundEnabled.value ? "commands.soundsAreOn" : "commands.soundsAreOff"));
}

function toggleSingleKeys(): void {
  singleKeyShortcuts.value = !singleKeyShortcuts.value;
  showToast(t(singleKeyShortcuts.value ? "commands.singleKeysAreOn" : "commands.singleKeysAreOff"));
}
