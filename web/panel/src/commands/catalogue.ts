/**
 * The panel's actions: what each is called, in which group it is listed and which keys run it. What an action does is
 * provided by the page that can do it (`useActions` in `registry.ts`).
 */
import type { IconName } from "../components/icon";
import type { TextKey } from "../i18n/i18n";

/** In the order of the list of shortcuts. */
export const GROUPS = {
  general: "commands.groupGeneral",
  navigation: "commands.groupNavigation",
  chat: "commands.groupChat",
  copilot: "copilot.title",
  preferences: "commands.groupPreferences",
} as const satisfies Record<string, TextKey>;

export type CommandGroup = keyof typeof GROUPS;

interface CommandDefinition {
  label: TextKey;
  group: CommandGroup;
  icon: IconName;
  /**
   * `a`, `Shift+l`, `Alt+ArrowDown`, `Mod+k` (Ctrl, or ⌘ on a Mac) or `g c` (g, then c). Several ones have the same
   * effect. Only those with Mod or Alt work while the operator types.
   */
  keys: readonly string[];
  /** Other words by which it is found. */
  keywords?: TextKey;
  /** Not in the command bar, because it makes no sense there. */
  keyboardOnly?: boolean;
}

const define = <T extends Record<string, CommandDefinition>>(
  commands: T,
): { [K in keyof T]: CommandDefinition } => commands;

export const COMMANDS = define({
  "commands.open": {
    label: "commands.search",
    group: "general",
    icon: "search",
    keys: ["Mod+k"],
    keyboardOnly: true,
  },
  "shortcuts.show": {
    label: "commands.shortcutsShow",
    group: "general",
    icon: "keyboard",
    keys: ["?"],
    keywords: "commands.shortcutsShowWords",
  },
  "inbox.search": {
    label: "commands.inboxSearch",
    group: "general",
    icon: "search",
    keys: ["f"],
    keywords: "commands.inboxSearchWords",
  },
  "inbox.waiting": {
    label: "commands.inboxWaiting",
    group: "general",
    icon: "clock",
    keys: ["1"],
    keywords: "commands.inboxWaitingWords",
  },
  "inbox.mine": { label: "commands.inboxMine", group: "general", icon: "chats", keys: ["2"] },
  "inbox.all": {
    label: "commands.inboxAll",
    group: "general",
    icon: "list",
    keys: ["3"],
  },
  "inbox.snoozed": { label: "labels.showSnoozed", group: "general", icon: "clock", keys: ["4"] },
  "inbox.next": {
    label: "commands.inboxNext",
    group: "general",
    icon: "chats",
    keys: ["j", "Alt+ArrowDown"],
  },
  "inbox.previous": {
    label: "commands.inboxPrevious",
    group: "general",
    icon: "chats",
    keys: ["k", "Alt+ArrowUp"],
  },
  "inbox.filter": {
    label: "commands.inboxFilter",
    group: "general",
    icon: "filter",
    keys: ["Shift+f"],
    keywords: "commands.inboxFilterWords",
  },
  "view.save": { label: "labels.saveView", group: "general", icon: "bookmark", keys: ["c v"] },
  "report.export": {
    label: "reports.exportCsv",
    group: "general",
    icon: "chart",
    keys: ["c e"],
    keywords: "commands.reportExportWords",
  },
  "site.add": {
    label: "commands.siteAdd",
    group: "general",
    icon: "plus",
    keys: ["c s"],
    keywords: "commands.siteAddWords",
  },
  "member.invite": {
    label: "commands.memberInvite",
    group: "general",
    icon: "plus",
    keys: ["c t"],
    keywords: "commands.memberInviteWords",
  },
  "team.add": {
    label: "teams.add",
    group: "general",
    icon: "plus",
    keys: ["c d"],
    keywords: "commands.teamAddWords",
  },
  "label.add": {
    label: "labels.add",
    group: "general",
    icon: "plus",
    keys: ["c l"],
    keywords: "commands.labelAddWords",
  },
  "cannedReply.add": {
    label: "commands.cannedReplyAdd",
    group: "general",
    icon: "plus",
    keys: ["c r"],
    keywords: "commands.cannedReplyAddWords",
  },

  "go.chats": {
    label: "navigation.chats",
    group: "navigation",
    icon: "chats",
    keys: ["g c"],
    keywords: "commands.goChatsWords",
  },
  "go.visitors": {
    label: "navigation.visitors",
    group: "navigation",
    icon: "people",
    keys: ["g v"],
    keywords: "commands.goVisitorsWords",
  },
  "go.search": { label: "search.title", group: "navigation", icon: "search", keys: ["g f"] },
  "go.archive": {
    label: "navigation.archive",
    group: "navigation",
    icon: "list",
    keys: ["g a"],
    keywords: "commands.goArchiveWords",
  },
  "go.sites": {
    label: "navigation.sites",
    group: "navigation",
    icon: "globe",
    keys: ["g s"],
    keywords: "commands.goSitesWords",
  },
  "go.setup": { label: "setup.title", group: "navigation", icon: "bolt", keys: ["g i"] },
  "go.team": {
    label: "navigation.team",
    group: "navigation",
    icon: "team",
    keys: ["g t"],
    keywords: "commands.goTeamWords",
  },
  "go.ratings": {
    label: "navigation.ratings",
    group: "navigation",
    icon: "star",
    keys: ["g r"],
    keywords: "commands.goRatingsWords",
  },
  "go.reports": {
    label: "reports.title",
    group: "navigation",
    icon: "chart",
    keys: ["g e"],
    keywords: "commands.goReportsWords",
  },
  "go.audit": {
    label: "navigation.audit",
    group: "navigation",
    icon: "book",
    keys: ["g l"],
    keywords: "commands.goAuditWords",
  },
  "go.settings": {
    label: "navigation.settings",
    group: "navigation",
    icon: "gear",
    keys: ["g p"],
    keywords: "commands.goSettingsWords",
  },

  "chat.accept": {
    label: "conversation.accept",
    group: "chat",
    icon: "wave",
    keys: ["a"],
    keywords: "commands.chatAcceptWords",
  },
  "chat.reply": {
    label: "commands.chatReply",
    group: "chat",
    icon: "send",
    keys: ["r"],
    keywords: "commands.chatReplyWords",
  },
  "chat.note": {
    label: "commands.chatNote",
    group: "chat",
    icon: "note",
    keys: ["n"],
    keywords: "commands.chatNoteWords",
  },
  "chat.cannedReply": {
    label: "commands.chatCannedReply",
    group: "chat",
    icon: "bolt",
    keys: ["q"],
    keywords: "commands.chatCannedReplyWords",
  },
  "chat.file": {
    label: "commands.chatFile",
    group: "chat",
    icon: "clip",
    keys: ["i"],
    keywords: "commands.chatFileWords",
  },
  "chat.voice": {
    label: "files.record",
    group: "chat",
    icon: "microphone",
    keys: ["v"],
    keywords: "commands.chatVoiceWords",
  },
  "chat.labels": { label: "labels.labels", group: "chat", icon: "bookmark", keys: ["h"] },
  "chat.snooze": { label: "labels.snooze", group: "chat", icon: "clock", keys: ["z"] },
  "chat.select": { label: "labels.shortcutSelect", group: "chat", icon: "check", keys: ["x"] },
  "chat.transfer": {
    label: "conversation.transfer",
    group: "chat",
    icon: "transfer",
    keys: ["t"],
    keywords: "commands.chatTransferWords",
  },
  "chat.release": {
    label: "conversation.release",
    group: "chat",
    icon: "robot",
    keys: ["b"],
    keywords: "commands.chatReleaseWords",
  },
  "chat.close": {
    label: "conversation.close",
    group: "chat",
    icon: "done",
    keys: ["e"],
    keywords: "commands.chatCloseWords",
  },
  "chat.reopen": { label: "commands.chatReopen", group: "chat", icon: "retry", keys: ["o"] },
  "chat.transcript": { label: "conversation.sendTranscript", group: "chat", icon: "mail", keys: ["c m"] },
  "chat.block": {
    label: "conversation.blockVisitor",
    group: "chat",
    icon: "block",
    keys: ["Shift+b"],
    keywords: "commands.chatBlockWords",
  },
  "chat.details": {
    label: "commands.chatDetails",
    group: "chat",
    icon: "info",
    keys: ["d"],
    keywords: "commands.chatDetailsWords",
  },
  "chat.translate": {
    label: "conversation.translate",
    group: "chat",
    icon: "language",
    keys: ["Shift+l"],
    keywords: "commands.chatTranslateWords",
  },
  "chat.translations": {
    label: "commands.chatTranslations",
    group: "chat",
    icon: "language",
    keys: ["l"],
  },
  "chat.preview": { label: "commands.chatPreview", group: "chat", icon: "language", keys: ["p"] },

  "copilot.suggestion": { label: "copilot.suggestion", group: "copilot", icon: "spark", keys: ["m s"] },
  "copilot.summary": { label: "copilot.summary", group: "copilot", icon: "spark", keys: ["m m"] },
  "copilot.shorter": { label: "copilot.shorter", group: "copilot", icon: "spark", keys: ["m h"] },
  "copilot.friendlier": { label: "copilot.friendlier", group: "copilot", icon: "spark", keys: ["m f"] },
  "copilot.correct": { label: "copilot.correct", group: "copilot", icon: "spark", keys: ["m c"] },
  "copilot.translate": { label: "copilot.translate", group: "copilot", icon: "spark", keys: ["m t"] },

  "status.toggle": {
    label: "commands.statusToggle",
    group: "preferences",
    icon: "online",
    keys: ["s o"],
    keywords: "commands.statusToggleWords",
  },
  "theme.light": {
    label: "commands.themeLight",
    group: "preferences",
    icon: "sun",
    keys: ["s l"],
    keywords: "commands.themeWords",
  },
  "theme.dark": {
    label: "commands.themeDark",
    group: "preferences",
    icon: "moon",
    keys: ["s d"],
    keywords: "commands.themeWords",
  },
  "theme.system": {
    label: "commands.themeSystem",
    group: "preferences",
    icon: "sun",
    keys: ["s a"],
    keywords: "commands.themeWords",
  },
  "sounds.toggle": {
    label: "commands.soundsToggle",
    group: "preferences",
    icon: "bell",
    keys: ["s s"],
    keywords: "commands.soundsToggleWords",
  },
  "singleKeys.toggle": {
    label: "commands.singleKeysToggle",
    group: "preferences",
    icon: "keyboard",
    keys: ["s k"],
    keywords: "commands.singleKeysToggleWords",
  },
  "account.logOut": {
    label: "navigation.logOut",
    group: "preferences",
    icon: "logout",
    keys: ["s q"],
    keywords: "commands.logOutWords",
  },
});

export type CommandId = keyof typeof COMMANDS;
