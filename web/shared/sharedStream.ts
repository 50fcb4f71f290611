/**
 * One live stream for all tabs of a group: the leader opens it and passes on what arrives. To each tab it looks like
 * a stream of its own (`openEventStream`).
 */
import { type ConnectionState, type EventStreamOptions, openEventStream } from "./eventStream";
import { ApiError } from "./http";
import type { SseEvent } from "./sse";
import type { TabGroup } from "./tabs";

const TOPIC = "stream";
/** The last events of which a tab knows that it has had them: a new leader may repeat some. */
const MAX_RECENT_IDS = 500;

type StreamMessage =
  /** A tab that has nothing yet, or may have missed something, asks for the state. */
  | { kind: "hello" }
  | { kind: "state"; state: ConnectionState; apiError?: StoredError | undefined }
  /** `attach`: the answer to a hello; its event's id is that of the last event. */
  | { kind: "ready"; event: SseEvent; resumed: boolean; attach: boolean }
  | { kind: "reset"; event: SseEvent }
  | { kind: "event"; event: SseEvent };

/** An ApiError as data: a copy that is sent to another tab loses its class. */
type StoredError = [status: number, code: string, message: string];

/** Opens the stream, or follows that of the leading tab. Returns a function that closes it. */
export function openSharedStream(tabs: TabGroup, options: EventStreamOptions): () => void {
  let isClosed = false;
  let closeStream: (() => void) | undefined;
  let state: ConnectionState = { state: "connecting" };
  let readyEvent: SseEvent | undefined;
  let lastEventId = "";
  /** Whether this tab has fetched what is shown: then events continue it. */
  let isAttached = false;
  const recentIds = new Set<string>();

  const apply = (message: StreamMessage) => {
    switch (message.kind) {
      case "state":
        state = restoreError(message);
        options.onState(state);
        break;
      case "ready":
        // Messages arrive in order: a tab that missed none has the leader's last event.
        if (message.attach && isAttached && (message.event.id ?? "") === lastEventId) break;
        readyEvent = message.event;
        lastEventId = message.event.id || lastEventId;
        options.onReady(message.event, message.resumed && isAttached);
        isAttached = true;
        break;
      case "reset":
        lastEventId = message.event.id || lastEventId;
        options.onReset(message.event);
        break;
      case "event":
        // Before it is attached, a tab fetches everything anyway.
        if (isAttached && isNew(message.event.id)) options.onEvent(message.event);
        lastEventId = message.event.id || lastEventId;
        break;
    }
  };

  const isNew = (id: string | undefined): boolean => {
    if (!id) return true;
    if (recentIds.has(id)) return false;
    recentIds.add(id);
    if (recentIds.size > MAX_RECENT_IDS) recentIds.delete(recentIds.values().next().value ?? "");
    return true;
  };

  /** To this tab and all others. */
  const share = (message: StreamMessage) => {
    tabs.post(TOPIC, message);
    apply(message);
  };

  const open = () => {
    closeStream = openEventStream({
      ...options,
      lastEventId,
      onState: (next) => share(storeError(next)),
      onReady: (event, resumed) => share({ kind: "ready", event, resumed, attach: false }),
      onReset: (event) => share({ kind: "reset", event }),
      onEvent: (event) => share({ kind: "event", event }),
    });
  };

  tabs.on<StreamMessage>(TOPIC, (message) => {
    if (isClosed) return;
    if (message.kind !== "hello") return closeStream ? undefined : apply(message);
    if (!closeStream) return;
    tabs.post(TOPIC, storeError(state));
    if (state.state === "live" && readyEvent) {
      const event = { ...readyEvent, id: lastEventId };
      tabs.post(TOPIC, { kind: "ready", event, resumed: false, attach: true } satisfies StreamMessage);
    }
  });
  const sayHello = () => {
    if (!closeStream) tabs.post(TOPIC, { kind: "hello" } satisfies StreamMessage);
  };
  tabs.join((leads) => {
    if (isClosed) return;
    closeStream?.();
    closeStream = undefined;
    if (leads) return open();
    isAttached = false;
    sayHello();
  });
  sayHello();
  // A phone may drop what was sent to a tab that it had suspended.
  document.addEventListener("visibilitychange", sayHello);
  return () => {
    isClosed = true;
    closeStream?.();
    document.removeEventListener("visibilitychange", sayHello);
  };
}

function storeError(state: ConnectionState): StreamMessage {
  if (state.state !== "waiting" || !(state.error instanceof ApiError)) return { kind: "state", state };
  const { status, code, message } = state.error;
  return { kind: "state", state: { ...state, error: undefined }, apiError: [status, code, message] };
}

function restoreError({ state, apiError }: Extract<StreamMessage, { kind: "state" }>): ConnectionState {
  return apiError && state.state === "waiting" ? { ...state, error: new ApiError(...apiError) } : state;
}
