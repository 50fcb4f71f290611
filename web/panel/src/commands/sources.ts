/** What the command bar finds: actions, chats, people, sites and settings, canned replies. */
import { computed, signal } from "@preact/signals";
import type { CannedReply, Mode } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import { cannedReplies, cannedRepliesOfSite, refreshCannedReplies } from "../cannedReplies/store";
import type { IconName } from "../components/icon";
import {
  composerInsertion,
  focusComposer,
  transferConversation,
  transferToTeam,
} from "../conversation/actions";
import { type TextKey, t } from "../i18n/i18n";
import {
  activeTab,
  anonymousName,
  conversations,
  isMine,
  searchText,
  visitorName,
} from "../inbox/conversations";
import { navigate, openConversationId } from "../navigation/route";
import { me } from "../session/session";
import { chatSites, getSiteName, hasPermission, managedSites, sites } from "../sites/sites";
import { teams } from "../teams/teams";
import { changeFilter, clearFilter, openView, views } from "../views/views";
import { onlineVisitors, visitorToWriteTo } from "../visitors/presence";
import { COMMANDS, type CommandGroup } from "./catalogue";
import type { Searchable } from "./match";
import { availableActions, runAction } from "./registry";

const MAX_TEAMMATES = 500;
/** Of how many sites the teammates are fetched for an operator who manages none. */
const MAX_SITES = 5;
const FRESH_MS = 60_000;

export type EntryGroup = "recent" | CommandGroup | "chats" | "people" | "settings" | "cannedReplies";

export const ENTRY_GROUPS: Record<EntryGroup, TextKey> = {
  recent: "commands.groupRecent",
  chat: "commands.groupThisChat",
  copilot: "copilot.title",
  chats: "navigation.chats",
  people: "commands.groupPeople",
  general: "commands.groupActions",
  navigation: "commands.groupNavigation",
  settings: "commands.groupSettings",
  cannedReplies: "cannedReplies.title",
  preferences: "commands.groupPreferences",
};

export interface Entry extends Searchable {
  group: EntryGroup;
  icon: IconName;
  /** Shown after the label. */
  detail?: string;
  /** The action's shortcuts. */
  keys?: readonly string[];
  run: () => void;
}

interface Teammate {
  id: number;
  name: string;
  email?: string;
}

const teammates = signal<Teammate[]>([]);
let teammatesFetched: { at: number; by: number } | undefined;

/** Fetches teammates and canned replies unless they are fresh. What is known already is found meanwhile. */
export function refreshSources(): void {
  refreshCannedReplies();
  const myId = me.value?.id;
  if (myId === undefined) return;
  if (teammatesFetched?.by !== myId) teammates.value = [];
  else if (Date.now() - teammatesFetched.at < FRESH_MS) return;
  const fetched = { at: Date.now(), by: myId };
  teammatesFetched = fetched;
  loadTeammates()
    .then((loaded) => {
      if (teammatesFetched === fetched) teammates.value = loaded.filter(({ id }) => id !== myId);
    })
    .catch(() => {
      teammatesFetched = undefined;
    });
}

async function loadTeammates(): Promise<Teammate[]> {
  if (managedSites.value.length === 0) {
    const lists = await Promise.all(
      chatSites.value
        .slice(0, MAX_SITES)
        .map((site) => api.get("/operator/operators", { query: { site_id: site.id } })),
    );
    return [...new Map(lists.flatMap((list) => list.operators).map((one) => [one.id, one])).values()];
  }
  return fetchAllPages<Teammate>(async (cursor) => {
    const page = await api.get("/team", { query: { limit: 100, cursor } });
    return { items: page.team, nextCursor: page.next_cursor };
  }, MAX_TEAMMATES);
}

/** What arrives later than the rest: when it changes, the entries are collected again. */
export const fetchedSources = computed(() => ({ teammates: teammates.value, replies: cannedReplies.value }));

/** Everything that can be found now. */
export function collectEntries(): Entry[] {
  return [
    ...collectActions(),
    ...collectChats(),
    ...collectPeople(),
    ...collectTeams(),
    ...collectViews(),
    ...collectSettings(),
    ...collectCannedReplies(),
  ];
}

function collectActions(): Entry[] {
  const entries: Entry[] = [];
  for (const [id, { label }] of availableActions()) {
    const command = COMMANDS[id];
    if (command.keyboardOnly) continue;
    entries.push({
      id: `action:${id}`,
      group: command.group,
      icon: command.icon,
      label: label ?? t(command.label),
      keywords: [command.keywords && t(command.keywords), label && t(command.label)].join(" "),
      keys: command.keys,
      run: () => runAction(id),
    });
  }
  return entries.sort((a, b) => order(a) - order(b));
}

const ACTION_ORDER = new Map(Object.keys(COMMANDS).map((id, index) => [`action:${id}`, index]));
const order = (entry: Entry): number => ACTION_ORDER.get(entry.id) ?? 0;

function collectChats(): Entry[] {
  return [...conversations.value.values()].map((conversation) => {
    const { id, site_id: siteId, visitor, operator, mode } = conversation;
    const text = (conversation.last_visitor_message ?? conversation.last_message)?.preview ?? "";
    const siteName = getSiteName(siteId);
    const status = MODE_TEXTS[mode] ? t(MODE_TEXTS[mode]) : operator?.name;
    return {
      id: `chat:${id}`,
      group: "chats",
      icon: "chats",
      label: visitorName(conversation),
      detail: [status, sites.value.length > 1 && siteName, text].filter(Boolean).join(" · "),
      keywords: [visitor.email, visitor.phone, String(id), siteName, operator?.name, text].join(" "),
      priority: isMine(conversation) ? 2 : mode === "pending" ? 1 : 0,
      at: Date.parse(conversation.updated_at),
      run: () => navigate("chats", id),
    };
  });
}

const MODE_TEXTS: Partial<Record<Mode, TextKey>> = {
  pending: "commands.modePending",
  ai: "commands.modeAi",
  closed: "commands.modeClosed",
};

function collectPeople(): Entry[] {
  return [...teammates.value.flatMap(collectTeammate), ...collectVisitors()];
}

function collectTeammate({ id, name, email }: Teammate): Entry[] {
  const openId = openConversationId.value;
  const keywords = email ?? "";
  const show: Entry = {
    id: `teammate:${id}`,
    group: "people",
    icon: "team",
    label: name,
    detail: t("commands.showTheirChats"),
    keywords,
    run: () => {
      activeTab.value = "all";
      searchText.value = name;
      navigate("chats");
    },
  };
  if (openId === undefined || !availableActions().has("chat.transfer")) return [show];
  const transfer: Entry = {
    id: `transfer:${id}`,
    group: "people",
    icon: "transfer",
    label: name,
    detail: t("commands.transferThisChat"),
    keywords: `${t("conversation.transfer")} ${keywords}`,
    run: () => void transferConversation(openId, { id, name }),
  };
  return [show, transfer];
}

/** A team: the chats that wait for it, and the transfer of the open chat to it. */
function collectTeams(): Entry[] {
  const openId = openConversationId.value;
  const siteId = openId === undefined ? undefined : conversations.value.get(openId)?.site_id;
  const mayTransfer = siteId !== undefined && availableActions().has("chat.transfer");
  return teams.value.flatMap((team) => {
    const keywords = t("teams.team");
    const show: Entry = {
      id: `team:${team.id}`,
      group: "people",
      icon: "team",
      label: team.name,
      detail: t("commands.showTeamChats"),
      keywords,
      run: () => {
        clearFilter();
        changeFilter({ team_id: team.id });
        activeTab.value = "all";
        navigate("chats");
      },
    };
    if (openId === undefined || !mayTransfer || !team.site_ids.includes(siteId)) return [show];
    const transfer: Entry = {
      id: `transfer-team:${team.id}`,
      group: "people",
      icon: "transfer",
      label: team.name,
      detail: t("commands.transferThisChat"),
      keywords: `${t("conversation.transfer")} ${keywords}`,
      run: () => void transferToTeam(openId, team),
    };
    return [show, transfer];
  });
}

function collectViews(): Entry[] {
  return views.value.map((view) => ({
    id: `view:${view.id}`,
    group: "chats",
    icon: "bookmark",
    label: view.name,
    detail: t("labels.views"),
    keywords: t("labels.views"),
    run: () => openView(view),
  }));
}

/** The visitors who are online without an open chat; the others are found by their chats. */
function collectVisitors(): Entry[] {
  const entries: Entry[] = [];
  for (const visitor of onlineVisitors.value.values()) {
    const conversation = visitor.conversation_id
      ? conversations.value.get(visitor.conversation_id)
      : undefined;
    if (conversation && conversation.mode !== "closed") continue;
    const page = visitor.title || visitor.page || "";
    entries.push({
      id: `visitor:${visitor.site_id}/${visitor.session_id}`,
      group: "people",
      icon: "people",
      label: conversation ? visitorName(conversation) : anonymousName(visitor.session_id),
      detail: [t("commands.visitorOnline"), page].filter(Boolean).join(" · "),
      keywords: `${page} ${getSiteName(visitor.site_id)}`,
      at: Date.parse(visitor.since),
      run: () => {
        if (hasPermission(visitor.site_id, "can_chat")) visitorToWriteTo.value = visitor;
        navigate("visitors");
      },
    });
  }
  return entries;
}

const SITE_SECTIONS = [
  ["install", "commands.siteInstall", "commands.siteInstallWords"],
  ["assistant", "commands.siteAssistant", "commands.siteAssistantWords"],
  ["knowledge", "commands.siteKnowledge", "commands.siteKnowledgeWords"],
  ["routing", "sites.tab_routing", "commands.siteRoutingWords"],
  ["forms", "sites.tab_forms", "commands.siteFormsWords"],
  ["settings", "navigation.settings", "commands.siteSettingsWords"],
] as const;

/** The sections of the operator's own settings: their anchors are the ids of the cards. */
const OWN_SECTIONS = [
  ["profile", "commands.ownProfile", "commands.ownProfileWords"],
  ["notifications", "commands.ownNotifications", "commands.ownNotificationsWords"],
  ["push", "devices.title", "devices.words"],
  ["canned-replies", "cannedReplies.title", "commands.ownCannedRepliesWords"],
  ["labels", "labels.labels", "commands.labelAddWords"],
  ["password", "commands.ownPassword", "commands.ownPasswordWords"],
  ["devices", "commands.ownDevices", "commands.ownDevicesWords"],
  ["api-keys", "commands.ownApiKeys", "commands.ownApiKeysWords"],
] as const;

function collectSettings(): Entry[] {
  const ofSites = managedSites.value.flatMap((site) =>
    SITE_SECTIONS.map(
      ([tab, label, keywords]): Entry => ({
        id: `site:${site.id}/${tab}`,
        group: "settings",
        icon: "globe",
        label: site.name,
        detail: t(label),
        keywords: [t(label), t(keywords), ...site.domains].join(" "),
        run: () => navigate("sites", site.id, tab),
      }),
    ),
  );
  const own = OWN_SECTIONS.map(
    ([section, label, keywords]): Entry => ({
      id: `settings:${section}`,
      group: "settings",
      icon: "gear",
      label: t(label),
      detail: t("navigation.settings"),
      keywords: `${t("navigation.settings")} ${t(keywords)}`,
      run: () => navigate("settings", section),
    }),
  );
  return [...ofSites, ...own];
}

function collectCannedReplies(): Entry[] {
  const openId = openConversationId.value;
  const siteId = openId === undefined ? undefined : conversations.value.get(openId)?.site_id;
  const canInsert =
    openId !== undefined && siteId !== undefined && availableActions().has("chat.cannedReply");
  const replies = canInsert ? cannedRepliesOfSite(siteId) : cannedReplies.value;
  const insert = (reply: CannedReply) => {
    if (!canInsert) return navigate("settings", "canned-replies");
    focusComposer(openId, "reply");
    composerInsertion.value = { conversation: openId, reply };
  };
  return replies.map((reply) => ({
    id: `canned:${reply.id}`,
    group: "cannedReplies",
    icon: "bolt",
    label: `/${reply.shortcut}`,
    detail: reply.text,
    keywords: `${reply.shortcut} ${reply.text}`,
    priority: reply.use_count,
    run: () => insert(reply),
  }));
}

/** What is offered when nothing, or little, is found: the query as a search in the list of chats. */
export function searchEntry(query: string): Entry {
  return {
    id: "search",
    group: "chats",
    icon: "search",
    label: t("commands.searchChats", { query }),
    run: () => {
      activeTab.value = "all";
      searchText.value = query;
      navigate("chats");
    },
  };
}
