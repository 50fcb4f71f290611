/** The sidebar: links to the pages, the connection, the operator's menu. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { commandBarOpen, shortcutHint, shortcutsOpen } from "../commands/registry";
import { Switch } from "../components/controls";
import { Avatar } from "../components/display";
import { Icon, type IconName, Logo } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { attentionCounts } from "../inbox/conversations";
import { ConnectionState } from "../live/connectionBanner";
import { logOut } from "../session/logOut";
import { me } from "../session/session";
import { theme } from "../settings/preferences";
import { isSetupOpen } from "../setup/setup";
import { chatSites, isManager } from "../sites/sites";
import { onlineBySite, onlineVisitors, setOnline } from "../visitors/presence";
import { type Route, route, routeHref } from "./route";

interface SidebarItem {
  page: Route["page"];
  icon: IconName;
  label: string;
  badge?: number;
  /** A badge that only informs. */
  quiet?: boolean;
}

export function Sidebar() {
  const { waiting, mine } = attentionCounts.value;
  const items: SidebarItem[] = [
    { page: "chats", icon: "chats", label: t("navigation.chats"), badge: waiting + mine },
    {
      page: "visitors",
      icon: "people",
      label: t("navigation.visitors"),
      badge: onlineVisitors.value.size,
      quiet: true,
    },
    { page: "archive", icon: "list", label: t("navigation.archive") },
    { page: "search", icon: "search", label: t("navigation.search") },
  ];
  const managerItems: SidebarItem[] = [
    { page: "sites", icon: "globe", label: t("navigation.sites") },
    { page: "team", icon: "team", label: t("navigation.team") },
    { page: "ratings", icon: "star", label: t("navigation.ratings") },
    { page: "reports", icon: "chart", label: t("reports.title") },
    { page: "audit", icon: "book", label: t("navigation.audit") },
  ];
  return (
    <nav class="sidebar" aria-label={t("navigation.main")}>
      <span class="sidebar-logo">
        <Logo />
      </span>
      <div class="sidebar-links">
        <button
          type="button"
          class="sidebar-link"
          title={`${t("commands.search")} (${shortcutHint("commands.open")})`}
          onClick={() => (commandBarOpen.value = true)}
        >
          <Icon name="keyboard" size={21} />
          <span>{t("commands.short")}</span>
        </button>
        {items.map((item) => (
          <SidebarLink key={item.page} item={item} />
        ))}
        {isManager.value && <hr />}
        {isSetupOpen.value && <SidebarLink item={{ page: "setup", icon: "bolt", label: t("setup.short") }} />}
        {isManager.value && managerItems.map((item) => <SidebarLink key={item.page} item={item} />)}
      </div>
      <div class="sidebar-footer">
        <ConnectionState />
        <AccountMenu />
      </div>
    </nav>
  );
}

function SidebarLink({ item }: { item: SidebarItem }) {
  const selected = route.value.page === item.page;
  return (
    <a
      class={`sidebar-link${selected ? " selected" : ""}`}
      href={routeHref(item.page)}
      aria-current={selected ? "page" : undefined}
      title={item.label}
    >
      <Icon name={item.icon} size={21} />
      <span>{item.label}</span>
      {item.badge ? (
        <span class={`badge${item.quiet ? " quiet" : ""}`}>
          {item.badge > 99 ? "99+" : formatNumber(item.badge)}
        </span>
      ) : null}
    </a>
  );
}

function AccountMenu() {
  const open = useSignal(false);
  const element = useRef<HTMLDivElement>(null);
  const user = me.value;
  const online = chatSites.value.some((site) => onlineBySite.value.get(site.id) !== false);
  useEffect(() => {
    const onMouseDown = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) open.value = false;
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") open.value = false;
    };
    addEventListener("mousedown", onMouseDown);
    addEventListener("keydown", onKeyDown);
    return () => {
      removeEventListener("mousedown", onMouseDown);
      removeEventListener("keydown", onKeyDown);
    };
  }, []);
  if (!user) return null;
  return (
    <div class="account" ref={element}>
      <button
        type="button"
        class="account-button"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <Avatar name={user.name} online={online} small />
        <span class="account-status" aria-hidden="true">
          {online ? t("common.online") : t("common.offline")}
        </span>
        <span class="visually-hidden">
          {t("navigation.accountMenu", {
            name: user.name,
            status: online ? t("navigation.onlineStatus") : t("navigation.offlineStatus"),
          })}
        </span>
      </button>
      {open.value && <AccountMenuItems onClose={() => (open.value = false)} />}
    </div>
  );
}

function AccountMenuItems({ onClose }: { onClose: () => void }) {
  const user = me.value;
  if (!user) return null;
  return (
    <div class="account-menu">
      <p class="account-identity">
        <strong dir="auto">{user.name}</strong>
        <span class="muted">{user.email}</span>
      </p>
      <div class="menu-section">
        {chatSites.value.map((site) => (
          <Switch
            key={site.id}
            on={onlineBySite.value.get(site.id) ?? true}
            label={chatSites.value.length === 1 ? t("common.online") : site.name}
            onChange={(on) => runWithToast(() => setOnline(site.id, on))}
          />
        ))}
        {chatSites.value.length === 0 && <p class="muted">{t("navigation.noChatSites")}</p>}
      </div>
      <div class="menu-section">
        <ThemeButtons />
      </div>
      <div class="menu-section links">
        <a href={routeHref("settings")} onClick={onClose}>
          <Icon name="gear" size={16} /> {t("navigation.settings")}
        </a>
        <button
          type="button"
          onClick={() => {
            onClose();
            shortcutsOpen.value = true;
          }}
        >
          <Icon name="keyboard" size={16} /> {t("navigation.shortcuts")}
        </button>
        <button
          type="button"
          onClick={() => {
            onClose();
            void logOut();
          }}
        >
          <Icon name="logout" size={16} /> {t("navigation.logOut")}
        </button>
      </div>
    </div>
  );
}

const THEMES = [
  ["system", undefined],
  ["light", "sun"],
  ["dark", "moon"],
] as const;

function ThemeButtons() {
  return (
    <div class="segmented" role="group" aria-label={t("navigation.theme")}>
      {THEMES.map(([name, icon]) => (
        <button
          key={name}
          type="button"
          aria-pressed={theme.value === name}
          onClick={() => (theme.value = name)}
        >
          {icon && <Icon name={icon} size={14} />}
          {t(`navigation.theme_${name}`)}
        </button>
      ))}
    </div>
  );
}
