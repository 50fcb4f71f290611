/** A page at rest sends few requests, and an operator's first message is there immediately. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchFirstMessage } from "../widget/src/launcher/firstMessage";
import { startPresence } from "../widget/src/launcher/presence";
import { buildMessage } from "./builders";
import { FakeServer, FakeStream, failure, json } from "./fakeServer";

const EMBED = {
  origin: "http://parley.test",
  siteKey: "pk_1",
  sessionId: "s".repeat(32),
  colour: "",
  position: "",
  launcher: "",
  language: "en",
};

let server: FakeServer;
let streams: FakeStream[];
let waiting: object[];
let hasChat: boolean;
const received: unknown[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  streams = [];
  waiting = [];
  hasChat = false;
  received.length = 0;
  server.on("POST", "/chat/heartbeat", () => json({ colour: "#123456" }));
  server.on("GET", "/chat/pending-proactive", () => json({ messages: waiting }));
  server.on("GET", "/chat/events", () => {
    const stream = new FakeStream();
    stream.event("ready", "1-1");
    streams.push(stream);
    return stream.response;
  });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function openPage(): void {
  const { signal: stopped } = new AbortController();
  startPresence({ embed: () => EMBED, stopped, onSite: () => undefined });
  watchFirstMessage({
    embed: () => EMBED,
    stopped,
    hasChat: () => hasChat,
    onMessages: (messages) => {
      hasChat = true;
      received.push(...messages);
    },
  });
}

/** Lets minutes pass in which the server sends its keep-alive and the visitor moves the pointer. */
async function rest(minutes: number): Promise<void> {
  for (let second = 0; second < minutes * 60; second += 10) {
    dispatchEvent(new Event("pointermove"));
    streams.at(-1)?.write(": keep-alive\n\n");
    await run(10_000);
  }
}

test("a page at rest sends three requests a minute", async () => {
  openPage();
  await run(10_000);
  expect(streams.length).toBe(1);
  const before = server.requests.length;
  await rest(10);
  expect(server.requests.length - before).toBeLessThanOrEqual(30);
  expect(streams.length).toBe(1);
});

test("an operator's first message is there immediately", async () => {
  openPage();
  await run(10_000);
  expect(received).toEqual([]);
  waiting = [buildMessage(1, { role: "operator" })];
  streams[0]?.event("message.created", "1-2", {});
  await run(0);
  expect(received).toEqual(waiting);
  await rest(1);
  expect(server.to("GET", "/chat/pending-proactive").length).toBe(2);
  expect(server.to("GET", "/chat/events").length).toBe(1);
});

test("a message that came before the page is asked for once", async () => {
  waiting = [buildMessage(1, { role: "operator" })];
  openPage();
  await run(10_000);
  expect(received).toEqual(waiting);
});

test("who leaves immediately opens no stream, and who is idle keeps none", async () => {
  openPage();
  await run(1000);
  expect(streams.length).toBe(0);
  await run(180_000);
  const opened = server.to("GET", "/chat/events").length;
  await run(600_000);
  expect(server.to("GET", "/chat/events").length).toBe(opened);
  dispatchEvent(new Event("keydown"));
  await run(10_000);
  expect(server.to("GET", "/chat/events").length).toBe(opened + 1);
});

test("pages of a server in need ask a few times a minute", async () => {
  for (const path of ["/chat/events", "/chat/pending-proactive"]) {
    server.on("GET", path, () => failure(503, "unavailable"));
  }
  server.on("POST", "/chat/heartbeat", () => failure(503, "unavailable"));
  openPage();
  await rest(1);
  const before = server.requests.length;
  await rest(10);
  expect(server.requests.length - before).toBeLessThanOrEqual(100);
});
