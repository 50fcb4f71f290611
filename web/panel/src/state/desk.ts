/** The working day: from login to logout, what is loaded, followed and kept fresh. */
import { backoff, pause } from "../../../shared/sse";
import type { Conversation, LiveEvent, Message } from "../../../shared/views";
import { ApiError, sentence } from "../api/http";
import { follow } from "../api/live";
import { LoggedOut, me } from "../api/session";
import { alert, watchBadge } from "./alerts";
import { chats, loadChats, loaded, place } from "./chats";
import { arrived, resume } from "./outbox";
import { applyPresence, beat, loadStatus, loadVisitors, visitors } from "./people";
import { route } from "./route";
import { loadSites, sites } from "./sites";
import { apply, forgetThreads } from "./threads";
import { toast } from "./toasts";

const shown = (): number | undefined =>
  route.value.screen === "chats" ? route.value.conversation : undefined;

/** Begins to work as whoever is logged in. Gives the way to stop. */
export function openDesk(): () => void {
  let stopBeat: (() => void) | undefined;
  let stopped = false;
  const leave = new AbortController();
  const refresh = async () => {
    await persist(loadSites, leave.signal);
    if (stopped) return;
    stopBeat ??= beat();
    await Promise.all([loadChats, loadVisitors, loadStatus].map((load) => persist(load, leave.signal)));
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
    leave.abort();
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

/** Loads what the screen cannot do without, again and again while it is only for a moment that it fails. */
async function persist(load: () => Promise<unknown>, stopped: AbortSignal): Promise<void> {
  for (let tries = 1; !stopped.aborted; tries += 1) {
    try {
      await load();
      return;
    } catch (problem) {
      if (problem instanceof LoggedOut || stopped.aborted) return;
      if (!(problem instanceof ApiError) || !problem.passing) return toast(sentence(problem), "bad");
      await pause(Math.max((problem.retryAfter ?? 0) * 1000, backoff(tries)), stopped);
    }
  }
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
