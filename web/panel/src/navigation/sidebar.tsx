/** The sidebar: links to the pages, the connection, the operator's menu. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Switch } from "../components/controls";
import { Avatar } from "../components/display";
import { Icon, type IconName, Logo } from "../components/icon";
import { helpOpen } from "../components/overlays";
import { confirmAction, runWithToast } from "../components/toasts";
import { countUnsent } from "../composer/outbox";
import { attentionCounts } from "../inbox/conversations";
import { ConnectionState } from "../live/connectionBanner";
import { me, session } from "../session/session";
import { theme } from "../settings/preferences";
import { chatSites, managedSites } from "../sites/sites";
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
    { page: "chats", icon: "chats", label: "Chats", badge: waiting + mine },
    { page: "visitors", icon: "people", label: "Visitors", badge: onlineVisitors.value.size, quiet: true },
    { page: "archive", icon: "list", label: "Archive" },
  ];
  const managerItems: SidebarItem[] = [
    { page: "sites", icon: "globe", label: "Sites" },
    { page: "team", icon: "team", label: "Team" },
    { page: "ratings", icon: "star", label: "Ratings" },
    { page: "audit", icon: "book", label: "Audit" },
  ];
  return (
    <nav class="sidebar" aria-label="Main">
      <span class="sidebar-logo">
        <Logo />
      </span>
      <div class="sidebar-links">
        {items.map((item) => (
          <SidebarLink key={item.page} item={item} />
        ))}
        {managedSites.value.length > 0 && <hr />}
        {managedSites.value.length > 0 &&
          managerItems.map((item) => <SidebarLink key={item.page} item={item} />)}
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
        <span class={`badge${item.quiet ? " quiet" : ""}`}>{item.badge > 99 ? "99+" : item.badge}</span>
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
          {online ? "Online" : "Offline"}
        </span>
        <span class="visually-hidden">{`${user.name}, ${online ? "online" : "offline"}: menu`}</span>
      </button>
      {open.value && <AccountMenuItems onClose={() => (open.value = false)} />}
    </div>
  );
}

function AccountMenuItems({ onClose }: { onClose: () => void }) {
  const user = me.value;
  if (!user) return null;
  const logOut = async () => {
    onClose();
    const unsent = countUnsent(user.id, false);
    const text = `${unsent} unsent ${unsent === 1 ? "message" : "messages"} will be sent when you log in here again.`;
    if (unsent && !(await confirmAction({ title: "Log out?", text, confirmLabel: "Log out" }))) return;
    await session.logOut();
  };
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
            label={chatSites.value.length === 1 ? "Online" : site.name}
            onChange={(on) => runWithToast(() => setOnline(site.id, on))}
          />
        ))}
        {chatSites.value.length === 0 && <p class="muted">You cannot chat on any site.</p>}
      </div>
      <div class="menu-section">
        <ThemeButtons />
      </div>
      <div class="menu-section links">
        <a href={routeHref("settings")} onClick={onClose}>
          <Icon name="gear" size={16} /> Settings
        </a>
        <button
          type="button"
          onClick={() => {
            onClose();
            helpOpen.value = true;
          }}
        >
          <Icon name="keyboard" size={16} /> Keyboard shortcuts
        </button>
        <button type="button" onClick={logOut}>
          <Icon name="logout" size={16} /> Log out
        </button>
      </div>
    </div>
  );
}

const THEMES = [
  ["system", "Auto", undefined],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
] as const;

function ThemeButtons() {
  return (
    <div class="segmented" role="group" aria-label="Theme">
      {THEMES.map(([name, label, icon]) => (
        <button
          key={name}
          type="button"
          aria-pressed={theme.value === name}
          onClick={() => (theme.value = name)}
        >
          {icon && <Icon name={icon} size={14} />}
          {label}
        </button>
      ))}
    </div>
  );
}
