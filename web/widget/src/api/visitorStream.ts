/** The visitor's live stream: how it is opened, and when it is given up. */
import { type EventStreamOptions, fetchStream } from "../../../shared/eventStream";
import { ApiError } from "../../../shared/http";
import { type EmbedConfig, SESSION_HEADER } from "../embedConfig";

export const visitorStream = ({
  origin,
  siteKey,
  sessionId,
}: EmbedConfig): Pick<EventStreamOptions, "connect" | "isFatal"> => ({
  connect: (lastEventId, signal) =>
    fetchStream(
      `${origin}/api/v1/chat/events`,
      { site_key: siteKey, last_event_id: lastEventId },
      { [SESSION_HEADER]: sessionId },
      signal,
    ),
  // The site does not exist or does not allow this page, or the session has ended: a retry would not help.
  isFatal: (error) => error instanceof ApiError && [401, 403, 404].includes(error.status),
});
