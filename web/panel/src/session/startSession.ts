/** What runs from login to logout: the live stream, the heartbeat, the data that every page needs. */
import { effect, untracked } from "@preact/signals";
import type { Conversation, LiveEvent, Message } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { backoffDelay, sleep } from "../../../shared/retry";
import { errorMessage } from "../api/client";
import { showToast } from "../components/toasts";
import { onMessageCreated, resumeOutbox } from "../composer/outbox";
import { applyThreadEvent, invalidateThreads } from "../conversation/threads";
import { applyViewersEvent, forgetViewers } from "../conversation/viewers";
import { startWebPush } from "../devices/webPush";
import {
  conversations,
  conversationsLoaded,
  loadConversations,
  mergeConversations,
} from "../inbox/conversations";
import { labels, learnLabels, loadLabels } from "../labels/labels";
import { connection, openLiveStream } from "../live/liveStream";
import { applyMentionEvent, loadMentions, mentions } from "../mentions/mentions";
import { route } from "../navigation/route";
import { notifyEvent, startBadge } from "../notifications/notifications";
import { watchSound } from "../notifications/sound";
import { resetSetup } from "../setup/setup";
import { loadSites, sites, sitesLoaded } from "../sites/sites";
import { loadTeams, teams, teamsLoaded } from "../teams/teams";
import { loadViews, refreshCounts, views } from "../views/views";
import {
  applyPresenceEvent,
  loadOnlineVisitors,
  loadOwnStatus,
  onlineVisitors,
  startHeartbeat,
} from "../visitors/presence";
import { LoggedOut, me } from "./session";

const openConversation = (): number | undefined =>
  route.value.page === "chats" ? route.value.conversation : undefined;

/** Starts everything for the operator who is logged in. Returns a function that stops and clears it. */
export function startSession(): () => void {
  let stopHeartbeat: (() => void) | undefined;
  const stop = new AbortController();
  const refetch = async () => {
    const withSites = async () => {
      await loadWithRetry(loadSites, stop.signal);
      if (!stop.signal.aborted) stopHeartbeat ??= startHeartbeat();
    };
    const loaders = [
      loadConversations,
      loadMentions,
      loadOnlineVisitors,
      loadOwnStatus,
      loadTeams,
      loadLabels,
      loadViews,
    ];
    await Promise.all([withSites(), ...loaders.map((load) => loadWithRetry(load, stop.signal))]);
  };
  const openStream = () =>
    openLiveStream({
      onReady(isNew, siteIds) {
        // A change of the operator's access ends the stream; the next one names the sites of now.
        const accessChanged = sites.value.length > 0 && !isSameAccess(siteIds);
        if (isNew || accessChanged) {
          invalidateThreads(openConversation());
          void refetch();
        }
        resumeOutbox();
      },
      onEvent: applyEvent,
    });
  let closeStream: (() => void) | undefined = openStream();
  // The server refuses a stream to an owner without a site, and a stream is for the sites that it began with.
  void loadWithRetry(loadSites, stop.signal);
  let streamed: string | undefined;
  const stopWatching = effect(() => {
    if (!sitesLoaded.value) return;
    const siteIds = sites.value.map((site) => site.id).join();
    const isFirst = streamed === undefined;
    if (siteIds === streamed) return;
    streamed = siteIds;
    // The stream that was opened at the start is for these sites.
    if (isFirst && siteIds) return;
    closeStream?.();
    connection.value = { state: "connecting" };
    closeStream = siteIds ? untracked(openStream) : undefined;
  });
  const stopBadge = startBadge();
  const stopSound = watchSound();
  const stopWebPush = startWebPush();
  return () => {
    stop.abort();
    stopWatching();
    closeStream?.();
    stopBadge();
    stopSound();
    stopWebPush();
    forgetViewers();
    mentions.value = [];
    stopHeartbeat?.();
    conversations.value = new Map();
    onlineVisitors.value = new Map();
    sites.value = [];
    teams.value = [];
    teamsLoaded.value = false;
    labels.value = [];
    views.value = [];
    sitesLoaded.value = false;
    resetSetup();
    conversationsLoaded.value = false;
    invalidateThreads(undefined);
    document.title = "Parley";
  };
}

/** Loads what the pages cannot do without; retries errors that may pass. */
async function loadWithRetry(load: () => Promise<unknown>, stopped: AbortSignal): Promise<void> {
  for (let attempt = 1; !stopped.aborted; attempt += 1) {
    try {
      await load();
      return;
    } catch (error) {
      if (error instanceof LoggedOut || stopped.aborted) return;
      if (!(error instanceof ApiError) || !error.isRetryable) return showToast(errorMessage(error), "error");
      await sleep(Math.max(error.retryAfterSeconds * 1000, backoffDelay(attempt)), stopped);
    }
  }
}

function isSameAccess(siteIds: number[]): boolean {
  return siteIds.length === sites.value.length && sites.value.every((site) => siteIds.includes(site.id));
}

function applyEvent(event: LiveEvent): void {
  const conversation = event.data["conversation"] as Conversation | undefined;
  if (conversation) {
    mergeConversations([conversation]);
    learnLabels(conversation);
  }
  refreshCounts(event);
  applyThreadEvent(event);
  applyPresenceEvent(event, me.value?.id);
  applyViewersEvent(event);
  applyMentionEvent(event);
  if (event.type === "message.created") onMessageCreated(event.data as unknown as Message);
  notifyEvent(event);
}
