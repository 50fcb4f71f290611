/** What runs from login to logout: the live stream, the heartbeat, the data that every page needs. */
import { effect, untracked } from "@preact/signals";
import type { Conversation, LiveEvent, Message } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { backoffDelay, sleep } from "../../../shared/retry";
import { errorMessage } from "../api/client";
import { clearSelection } from "../bulk/selection";
import { clearCannedReplies } from "../cannedReplies/store";
import { showToast } from "../components/toasts";
import { onMessageCreated, resumeOutbox } from "../composer/outbox";
import { applyThreadEvent, invalidateThreads } from "../conversation/threads";
import { applyViewersEvent, clearViewers } from "../conversation/viewers";
import { clearCopilot } from "../copilot/copilot";
import { startWebPush } from "../devices/webPush";
import { clearConversations, loadConversations, mergeConversations } from "../inbox/conversations";
import { labels, learnLabels, loadLabels } from "../labels/labels";
import { connection, openLiveStream } from "../live/liveStream";
import { applyMentionEvent, clearMentions, loadMentions } from "../mentions/mentions";
import { openConversationId } from "../navigation/route";
import { notifyEvent, startBadge } from "../notifications/notifications";
import { watchSound } from "../notifications/sound";
import { resetSetup } from "../setup/setup";
import { clearSites, loadSites, sites, sitesLoaded } from "../sites/sites";
import { clearTeams, loadTeams } from "../teams/teams";
import { clearViews, loadViews, refreshCounts } from "../views/views";
import {
  applyPresenceEvent,
  clearPresence,
  loadOnlineVisitors,
  loadOwnStatus,
  startHeartbeat,
} from "../visitors/presence";
import { LoggedOut, me } from "./session";

/** What is fetched when the stream begins, besides the sites. */
const LOADERS = [
  loadConversations,
  loadMentions,
  loadOnlineVisitors,
  loadOwnStatus,
  loadTeams,
  loadLabels,
  loadViews,
];

/** Starts everything for the operator who is logged in. Returns a function that stops and clears it. */
export function startSession(): () => void {
  let stopHeartbeat: (() => void) | undefined;
  const stop = new AbortController();
  const refetch = async () => {
    const withSites = async () => {
      await loadWithRetry(loadSites, stop.signal);
      if (!stop.signal.aborted) stopHeartbeat ??= startHeartbeat();
    };
    await Promise.all([withSites(), ...LOADERS.map((load) => loadWithRetry(load, stop.signal))]);
  };
  const closeStream = keepStream(() =>
    openLiveStream({
      onReady(isNew, siteIds) {
        // A change of the operator's access ends the stream; the next one names the sites of now.
        const accessChanged = sites.value.length > 0 && !isSameAccess(siteIds);
        if (isNew || accessChanged) {
          invalidateThreads(openConversationId.value);
          void refetch();
        }
        resumeOutbox();
      },
      onEvent: applyEvent,
    }),
  );
  void loadWithRetry(loadSites, stop.signal);
  const stops = [closeStream, startBadge(), watchSound(), startWebPush()];
  return () => {
    stop.abort();
    for (const end of stops) end();
    stopHeartbeat?.();
    clearState();
  };
}

/**
 * Opens the stream, and another one when the operator's sites change: a stream is for the sites that it began with, and
 * the server refuses one to an owner without a site. Returns a function that closes it.
 */
function keepStream(open: () => () => void): () => void {
  let close: (() => void) | undefined = open();
  let streamed: string | undefined;
  const stopWatching = effect(() => {
    if (!sitesLoaded.value) return;
    const siteIds = sites.value.map((site) => site.id).join();
    const isFirst = streamed === undefined;
    if (siteIds === streamed) return;
    streamed = siteIds;
    // The stream that was opened at the start is for these sites.
    if (isFirst && siteIds) return;
    close?.();
    connection.value = { state: "connecting" };
    close = siteIds ? untracked(open) : undefined;
  });
  return () => {
    stopWatching();
    close?.();
  };
}

/** Removes everything of the operator who logs out: another one may log in on the same page. */
function clearState(): void {
  clearViewers();
  clearMentions();
  clearConversations();
  clearSelection();
  clearPresence();
  clearSites();
  clearTeams();
  clearViews();
  clearCannedReplies();
  clearCopilot();
  labels.value = [];
  resetSetup();
  invalidateThreads(undefined);
  document.title = "Parley";
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
