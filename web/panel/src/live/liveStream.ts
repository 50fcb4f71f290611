/** The operator's live stream and the state of its connection. */

import { signal } from "@preact/signals";
import type { LiveEvent } from "../../../shared/apiTypes";
import { type ConnectionState, fetchStream } from "../../../shared/eventStream";
import { ApiError } from "../../../shared/http";
import { openSharedStream } from "../../../shared/sharedStream";
import { parseJson } from "../../../shared/storage";
import { TabGroup } from "../../../shared/tabs";
import { t } from "../i18n/i18n";
import { LoggedOut, me, session } from "../session/session";

export const connection = signal<ConnectionState>({ state: "connecting" });

interface LiveStreamHandlers {
  /** The stream is open for these sites. `refetch`: everything shown has to be fetched again. */
  onReady(refetch: boolean, siteIds: number[]): void;
  onEvent(event: LiveEvent): void;
}

/** Opens the stream, one for all tabs of the browser, and keeps it open. Returns a function that closes it. */
export function openLiveStream(handlers: LiveStreamHandlers): () => void {
  let siteIds: number[] = [];
  const tabs = new TabGroup(`parley.panel.${me.value?.id ?? 0}`);
  const close = openSharedStream(tabs, {
    connect,
    onReady(event, resumed) {
      siteIds = parseSiteIds(event.data);
      handlers.onReady(!resumed, siteIds);
    },
    onReset: () => handlers.onReady(true, siteIds),
    onEvent(event) {
      try {
        handlers.onEvent(JSON.parse(event.data) as LiveEvent);
      } catch (error) {
        // An event that this version cannot read must not end the stream for all others.
        reportError(error);
      }
    },
    onState: (state) => {
      connection.value = state;
    },
    isFatal: (error) => error instanceof LoggedOut,
  });
  return () => {
    close();
    tabs.close();
  };
}

async function connect(lastEventId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {
    Accept: "text/event-stream",
    Authorization: `Bearer ${await session.token()}`,
  };
  if (lastEventId) headers["Last-Event-ID"] = lastEventId;
  const response = await fetchStream("/api/v1/operator/stream", {}, headers, signal);
  // The connection still fails with 401; the next attempt has a new token.
  if (response.status === 401) await session.refresh();
  return response;
}

interface ReadyEvent {
  sites?: number[];
  data?: { sites?: number[] };
}

function parseSiteIds(data: string): number[] {
  const ready = parseJson<ReadyEvent>(data || null, {});
  return ready.data?.sites ?? ready.sites ?? [];
}

/** Why the connection was lost, for the operator. */
export function describeConnectionError(error: unknown): string {
  if (!navigator.onLine) return t("live.deviceOffline");
  if (error === undefined) return t("live.closedByServer");
  if (!(error instanceof ApiError)) return t("errors.unreachable");
  if (error.status === 429) return t("live.tooManyConnections");
  return t("errors.http_error", { status: String(error.status) });
}
