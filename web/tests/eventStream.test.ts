/** The live stream: it reconnects by itself and resumes after the last event. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ConnectionState, type EventStreamOptions, openEventStream } from "../shared/eventStream";
import { ApiError } from "../shared/http";
import { FakeStream, failure } from "./fakeServer";

let connections: { lastEventId: string; stream: FakeStream }[];
let log: string[];
let states: ConnectionState[];
let close: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  log = [];
  states = [];
});

afterEach(() => {
  close();
  vi.useRealTimers();
});

function open(connect?: EventStreamOptions["connect"]): void {
  close = openEventStream({
    connect:
      connect ??
      (async (lastEventId) => {
        const stream = new FakeStream();
        connections.push({ lastEventId, stream });
        return stream.response;
      }),
    onReady: (_event, resumed) => log.push(resumed ? "ready resumed" : "ready"),
    onReset: () => log.push("reset"),
    onEvent: (event) => log.push(event.data),
    onState: (state) => states.push(state),
    isFatal: (error) => error instanceof ApiError && error.status === 404,
  });
}

const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const last = () => connections.at(-1)?.stream as FakeStream;

test("the first connection has no last event id and asks for a fetch", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  await run();
  expect(connections.map(({ lastEventId }) => lastEventId)).toEqual([""]);
  expect(log).toEqual(["ready"]);
  expect(states.at(-1)).toEqual({ state: "live" });
});

test("a lost connection is resumed after the last event received", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  last().event("message", "3-2", { n: 1 });
  await run();
  last().close();
  await run(1000);
  expect(connections.map(({ lastEventId }) => lastEventId)).toEqual(["", "3-2"]);
  last().event("ready", "3-2");
  last().event("message", "3-3", { n: 2 });
  await run();
  expect(log).toEqual(["ready", '{"n":1}', "ready resumed", '{"n":2}']);
});

test("an event without an id does not move the position", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  last().write('event: typing\ndata: {"n":1}\n\n');
  await run();
  last().close();
  await run(1000);
  expect(connections.at(-1)?.lastEventId).toBe("3-1");
});

test("a reset asks for a fetch and continues at its position", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  last().event("reset", "9-0");
  await run();
  last().close();
  await run(1000);
  expect(log).toEqual(["ready", "reset"]);
  expect(connections.at(-1)?.lastEventId).toBe("9-0");
});

test("a connection without keep-alives is replaced", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  await run(39_000);
  expect(connections).toHaveLength(1);
  await run(3_000);
  expect(connections).toHaveLength(2);
  expect(connections.at(-1)?.lastEventId).toBe("3-1");
});

test("a server that shuts down decides when its clients return, once", async () => {
  open();
  await run();
  last().event("ready", "3-1");
  last().write("retry: 7000\n\n");
  await run();
  last().close();
  await run(6_900);
  expect(connections).toHaveLength(1);
  await run(200);
  expect(connections).toHaveLength(2);
  last().close();
  await run(2_000);
  expect(connections).toHaveLength(3);
});

test("attempts become rarer, and the state says since when and until when", async () => {
  const attempts: number[] = [];
  open(async () => {
    attempts.push(Date.now());
    throw new TypeError("Failed to fetch");
  });
  await run();
  const waiting = states.at(-1);
  expect(waiting).toMatchObject({ state: "waiting", since: attempts[0] });
  await run(120_000);
  const gaps = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
  expect(gaps[0]).toBeLessThanOrEqual(1000);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(15_000);
  expect(gaps.at(-1)).toBeGreaterThanOrEqual(7_500);
  expect(states.at(-1)).toMatchObject({ state: "waiting", since: attempts[0] });
});

test("it waits as long as a refusal says", async () => {
  let attempts = 0;
  open(async () => {
    attempts += 1;
    return failure(429, "too_many_streams", { "Retry-After": "5" });
  });
  await run(4_900);
  expect(attempts).toBe(1);
  await run(200);
  expect(attempts).toBe(2);
});

test("a refusal that is final ends the stream", async () => {
  let attempts = 0;
  open(async () => {
    attempts += 1;
    return failure(404, "not_found");
  });
  await run(60_000);
  expect(attempts).toBe(1);
});

test("a closed stream does not connect again", async () => {
  open();
  await run();
  close();
  last().close();
  await run(60_000);
  expect(connections).toHaveLength(1);
});
