/** The rail beside every screen: where one can go, whether one is online, and the truth about the connection. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { line } from "./api/live";
import { me, session } from "./api/session";
import { attention } from "./state/chats";
import { lasting, now } from "./state/clock";
import { outbox } from "./state/outbox";
import { onlineOn, setOnline, visitors } from "./state/people";
import { theme } from "./state/prefs";
import { link, type Route, route } from "./state/route";
import { chatting, managed } from "./state/sites";
import { attempt, confirmed } from "./state/toasts";
import { Avatar, Switch } from "./ui/bits";
import { Icon, type IconName, Mark } from "./ui/icon";
import { helpShown } from "./ui/layers";

interface Place {
  screen: Route["screen"];
  icon: IconName;
  label: string;
  badge?: number;
  quiet?: boolean;
}

export function Rail() {
  const { waiting, mine } = attention.value;
  const work: Place[] = [
    { screen: "chats", icon: "chats", label: "Chats", badge: waiting + mine },
    { screen: "visitors", icon: "people", label: "Visitors", badge: visitors.value.size, quiet: true },
    { screen: "archive", icon: "list", label: "Archive" },
  ];
  const boss: Place[] = [
    { screen: "sites", icon: "globe", label: "Sites" },
    { screen: "team", icon: "team", label: "Team" },
    { screen: "ratings", icon: "star", label: "Ratings" },
    { screen: "audit", icon: "book", label: "Audit" },
  ];
  return (
    <nav class="rail" aria-label="Main">
      <span class="rail-mark">
        <Mark />
      </span>
      <div class="rail-places">
        {work.map((place) => (
          <RailLink key={place.screen} place={place} />
        ))}
        {managed.value.length > 0 && <hr />}
        {managed.value.length > 0 && boss.map((place) => <RailLink key={place.screen} place={place} />)}
      </div>
      <div class="rail-end">
        <ConnectionDot />
        <Me />
      </div>
    </nav>
  );
}

function RailLink({ place }: { place: Place }) {
  const shown = route.value.screen === place.screen;
  return (
    <a
      class={`rail-link${shown ? " shown" : ""}`}
      href={link(place.screen)}
      aria-current={shown ? "page" : undefined}
      title={place.label}
    >
      <Icon name={place.icon} size={21} />
      <span class="rail-label">{place.label}</span>
      {place.badge ? (
        <span class={`badge${place.quiet ? " quiet" : ""}`}>{place.badge > 99 ? "99+" : place.badge}</span>
      ) : null}
    </a>
  );
}

const STATES = { live: "Connected", connecting: "Connecting", waiting: "Not connected" } as const;

function ConnectionDot() {
  const state = line.value.state;
  return (
    <span class={`connection ${state}`} title={STATES[state]} role="status">
      <span class="sr">{STATES[state]}</span>
    </span>
  );
}

/** Says what a broken line means for the work, and when it is tried again. */
export function ConnectionBanner() {
  const at = line.value;
  // A cut of a few seconds is mended before anybody could read about it.
  if (at.state !== "waiting" || now.value - at.since < 2000) return null;
  const seconds = Math.max(0, Math.ceil((at.until - now.value) / 1000));
  const unsent = outbox.value.filter((parcel) => parcel.operator === me.value?.id).length;
  return (
    <div class="banner" role="alert">
      <Icon name="bolt" size={16} />
      <span>
        <strong>Not connected</strong> for {lasting(now.value - at.since)}. {at.why} What is shown may be out
        of date
        {unsent ? `; ${unsent} unsent ${unsent === 1 ? "message is" : "messages are"} kept` : ""}.
      </span>
      <span class="grow" />
      <span class="banner-next">{seconds ? `Trying again in ${seconds} s` : "Trying again…"}</span>
    </div>
  );
}

function Me() {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const user = me.value;
  const online = chatting.value.some((site) => onlineOn.value.get(site.id) !== false);
  useEffect(() => {
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape") open.value = false;
    };
    addEventListener("mousedown", outside);
    addEventListener("keydown", leave);
    return () => {
      removeEventListener("mousedown", outside);
      removeEventListener("keydown", leave);
    };
  }, []);
  if (!user) return null;
  return (
    <div class="me" ref={box}>
      <button
        type="button"
        class="me-button"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <Avatar name={user.name} online={online} small />
        <span class="sr">{`${user.name}, ${online ? "online" : "offline"}: menu`}</span>
      </button>
      {open.value && <Menu onClose={() => (open.value = false)} />}
    </div>
  );
}

function Menu({ onClose }: { onClose: () => void }) {
  const user = me.value;
  if (!user) return null;
  const leave = async () => {
    onClose();
    const unsent = outbox.value.filter(
      (parcel) => parcel.operator === user.id && parcel.state !== "failed",
    ).length;
    const text = `${unsent} unsent ${unsent === 1 ? "message goes" : "messages go"} out when you log in here again.`;
    if (unsent && !(await confirmed({ title: "Log out?", text, yes: "Log out" }))) return;
    await session.leave();
  };
  return (
    <div class="menu">
      <p class="menu-who">
        <strong dir="auto">{user.name}</strong>
        <span class="faint">{user.email}</span>
      </p>
      <div class="menu-part">
        {chatting.value.map((site) => (
          <Switch
            key={site.id}
            on={onlineOn.value.get(site.id) ?? true}
            label={chatting.value.length === 1 ? "Online" : site.name}
            onChange={(on) => attempt(() => setOnline(site.id, on))}
          />
        ))}
        {chatting.value.length === 0 && <p class="faint">You answer on no site.</p>}
      </div>
      <div class="menu-part">
        <div class="segmented" role="group" aria-label="Colours">
          {(["system", "light", "dark"] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={theme.value === name}
              onClick={() => (theme.value = name)}
            >
              {name === "light" && <Icon name="sun" size={14} />}
              {name === "dark" && <Icon name="moon" size={14} />}
              {name === "system" ? "Auto" : name === "light" ? "Light" : "Dark"}
            </button>
          ))}
        </div>
      </div>
      <div class="menu-part links">
        <a href={link("settings")} onClick={onClose}>
          <Icon name="gear" size={16} /> Settings
        </a>
        <button
          type="button"
          onClick={() => {
            onClose();
            helpShown.value = true;
          }}
        >
          <Icon name="keyboard" size={16} /> Keyboard shortcuts
        </button>
        <button type="button" onClick={leave}>
          <Icon name="logout" size={16} /> Log out
        </button>
      </div>
    </div>
  );
}
