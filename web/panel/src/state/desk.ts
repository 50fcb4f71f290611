/** The working day: from login to logout, what is loaded, followed and kept fresh. */
import type { Conversation, LiveEvent, Message } from "../../../shared/views";
import { follow } from "../api/live";
import { me } from "../api/session";
import { alert, watchBadge } from "./alerts";
import { chats, loadChats, loaded, place } from "./chats";
import { arrived, resume } from "./outbox";
import { applyPresence, beat, loadStatus, loadVisitors, visitors } from "./people";
import { route } from "./route";
import { loadSites, sites } from "./sites";
import { apply, forgetThreads } from "./threads";
import { attempt } from "./toasts";

const shown = (): number | undefined =>
  route.value.screen === "chats" ? route.value.conversation : undefined;

/** Begins to work as whoever is logged in. Gives the way to stop. */
export function openDesk(): () => void {
  let stopBeat: (() => void) | undefined;
  let stopped = false;
  const refresh = async () => {
    await attempt(loadSites);
    if (stopped) return;
    stopBeat ??= beat();
    await Promise.all([attempt(loadChats), attempt(loadVisitors), attempt(loadStatus)]);
  };
  const stopFollowing = follow({
    onReady(fresh, seen) {
      // Access that was given or taken while the stream was open ends it; the new one tells the sites of today.
      const changed = sites.value.length > 0 && !sameSites(seen);
      if (fresh || changed) {
        forgetThreads(shown());
        void refresh();
      }
      resume();
    },
    onEvent,
  });
  const stopBadge = watchBadge();
  return () => {
    stopped = true;
    stopFollowing();
    stopBadge();
    stopBeat?.();
    chats.value = new Map();
    visitors.value = new Map();
    sites.value = [];
    loaded.value = false;
    forgetThreads(undefined);
    document.title = "Parley";
  };
}

function sameSites(seen: number[]): boolean {
  return seen.length === sites.value.length && sites.value.every((site) => seen.includes(site.id));
}

function onEvent(event: LiveEvent): void {
  const row = event.data["conversation"] as Conversation | undefined;
  if (row) place([row]);
  apply(event);
  applyPresence(event, me.value?.id);
  if (event.type === "message.created") arrived(event.data as unknown as Message);
  alert(event);
}
