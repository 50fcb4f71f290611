/** The outbox: no message is lost and none is stored twice, whatever happens between the browser and the server. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildMessage } from "./builders";
import { FakeServer, failure, json, networkError } from "./fakeServer";
import { logIn } from "./sessions";

const PATH = "/operator/message";

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  localStorage.clear();
  logIn();
  server = new FakeServer();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The panel's outbox as a page loads it. Loading it again is a reload. */
const loadPage = async () => {
  vi.clearAllTimers();
  vi.resetModules();
  return import("../panel/src/composer/outbox");
};

const write = (content: string, conversation = 50) => ({
  conversation,
  kind: "message" as const,
  content,
  image: "",
});

const accept = () => json({ message: buildMessage(1) });
/** What the browser's storage has of the outbox. */
const stored = () =>
  Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "")
    .filter((name) => name.startsWith("parley.outbox"))
    .map((name) => localStorage.getItem(name) ?? "");
const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const sent = () => server.to("POST", PATH).map(({ body }) => (body as { content: string }).content);
const keys = () => server.to("POST", PATH).map(({ headers }) => headers.get("Idempotency-Key"));

test("a message is stored before it is sent and removed when the server has it", async () => {
  let storedAtRequest = "";
  server.on("POST", PATH, () => {
    storedAtRequest = stored().join();
    return accept();
  });
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run();
  expect(storedAtRequest).toContain("Hello");
  expect(page.outgoingMessages.value).toEqual([]);
  expect(stored()).toEqual([]);
});

test("a message is sent again with the same key until the server answers", async () => {
  let failures = 3;
  server.on("POST", PATH, () => {
    failures -= 1;
    if (failures === 2) return networkError();
    return failures > 0 ? failure(503, "unavailable") : accept();
  });
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run();
  expect(page.outgoingMessages.value[0]).toMatchObject({
    state: "waiting",
    error: "Cannot reach the server.",
  });
  await run(60_000);
  expect(sent()).toEqual(["Hello", "Hello", "Hello"]);
  expect(new Set(keys()).size).toBe(1);
  expect(page.outgoingMessages.value).toEqual([]);
});

test("messages of a conversation are sent in the order in which they were written", async () => {
  let failures = 2;
  server.on("POST", PATH, () => (failures-- > 0 ? networkError() : accept()));
  const page = await loadPage();
  page.enqueueMessage(write("first"));
  page.enqueueMessage(write("second"));
  await run(60_000);
  expect(sent()).toEqual(["first", "first", "first", "second"]);
});

test("a conversation does not wait for another", async () => {
  server.on("POST", PATH, ({ body }) =>
    (body as { conversation_id: number }).conversation_id === 50 ? networkError() : accept(),
  );
  const page = await loadPage();
  page.enqueueMessage(write("stuck", 50));
  page.enqueueMessage(write("through", 51));
  await run();
  expect(page.outgoingMessages.value.map(({ content }) => content)).toEqual(["stuck"]);
});

test("what was not confirmed survives a reload and is sent with its old key", async () => {
  server.on("POST", PATH, networkError);
  const before = await loadPage();
  before.enqueueMessage(write("Hello"));
  await run();
  const [key] = keys();
  server.on("POST", PATH, accept);
  server.requests.length = 0;
  const after = await loadPage();
  expect(after.outgoingMessages.value).toMatchObject([{ content: "Hello", state: "waiting" }]);
  after.resumeOutbox();
  await run();
  expect(keys()).toEqual([key]);
  expect(after.outgoingMessages.value).toEqual([]);
});

test("a message too old for its key is not sent again without being asked for", async () => {
  server.on("POST", PATH, networkError);
  const before = await loadPage();
  before.enqueueMessage(write("Hello"));
  await run();
  const item = JSON.parse(stored()[0] ?? "");
  const at = new Date(Date.now() - 21 * 3_600_000).toISOString();
  localStorage.setItem(`parley.outbox.${item.key}`, JSON.stringify({ ...item, at }));
  server.on("POST", PATH, accept);
  server.requests.length = 0;
  const after = await loadPage();
  after.resumeOutbox();
  await run();
  expect(sent()).toEqual([]);
  const [message] = after.outgoingMessages.value;
  expect(message?.state).toBe("failed");
  after.retryOutgoing(message?.key ?? "");
  await run();
  expect(sent()).toEqual(["Hello"]);
});

test("a message that is refused stays, says why, and does not hold up the next", async () => {
  server.on("POST", PATH, ({ body }) =>
    (body as { content: string }).content === "bad" ? failure(409, "conversation_closed") : accept(),
  );
  const page = await loadPage();
  page.enqueueMessage(write("bad"));
  page.enqueueMessage(write("good"));
  await run();
  expect(page.outgoingMessages.value).toMatchObject([
    { content: "bad", state: "failed", error: "Refused: conversation_closed" },
  ]);
  expect(sent()).toEqual(["bad", "good"]);
});

test("a request whose first attempt is still running is repeated later", async () => {
  let attempts = 0;
  server.on("POST", PATH, () =>
    ++attempts === 1 ? failure(409, "idempotency_key_in_flight", { "Retry-After": "3" }) : accept(),
  );
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run(2_900);
  expect(attempts).toBe(1);
  await run(60_000);
  expect(page.outgoingMessages.value).toEqual([]);
});

test("the live event of a message ends its sending", async () => {
  server.on("POST", PATH, networkError);
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run();
  const [key] = keys();
  page.onMessageCreated(buildMessage(1, { role: "operator", message_id: `7:${key}` }));
  await run(60_000);
  expect(sent()).toEqual(["Hello"]);
  expect(page.outgoingMessages.value).toEqual([]);
});

test("after a logout a message waits for its own author", async () => {
  server.on("POST", PATH, networkError);
  const before = await loadPage();
  before.enqueueMessage(write("Hello"));
  await run();
  server.on("POST", PATH, accept);
  server.requests.length = 0;
  logIn(8);
  const other = await loadPage();
  other.resumeOutbox();
  await run(60_000);
  expect(sent()).toEqual([]);
  logIn(7);
  const author = await loadPage();
  author.resumeOutbox();
  await run();
  expect(sent()).toEqual(["Hello"]);
});

test("a session that ends keeps the message", async () => {
  server.on("POST", PATH, () => failure(401, "token_expired"));
  server.on("POST", "/auth/refresh", () => failure(401, "token_revoked"));
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run(60_000);
  expect(page.outgoingMessages.value).toMatchObject([{ state: "waiting", error: "Log in to send this." }]);
  expect(stored().join()).toContain("Hello");
});

test("a browser that stores nothing still sends", async () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  server.on("POST", PATH, accept);
  const page = await loadPage();
  page.enqueueMessage(write("Hello"));
  await run();
  expect(sent()).toEqual(["Hello"]);
});

/** A storage whose changes are announced to every tab, as a browser does to all but the one that made them. */
function shareStorage(): void {
  const real = localStorage;
  const announce = (key: string, newValue: string | null) =>
    void Promise.resolve().then(() => dispatchEvent(new StorageEvent("storage", { key, newValue })));
  vi.stubGlobal("localStorage", {
    get length() {
      return real.length;
    },
    key: (index: number) => real.key(index),
    getItem: (key: string) => real.getItem(key),
    setItem(key: string, value: string) {
      real.setItem(key, value);
      announce(key, value);
    },
    removeItem(key: string) {
      real.removeItem(key);
      announce(key, null);
    },
  });
}

test("what one tab has not sent is not lost by another", async () => {
  server.on("POST", PATH, networkError);
  const [first, second] = [await loadPage(), await loadPage()];
  first.enqueueMessage(write("from the first"));
  await run();
  second.enqueueMessage(write("from the second", 51));
  await run();
  server.on("POST", PATH, accept);
  server.requests.length = 0;
  const reloaded = await loadPage();
  reloaded.resumeOutbox();
  await run();
  expect(sent().sort()).toEqual(["from the first", "from the second"]);
});

test("every tab shows what is unsent, and no longer once one has sent it", async () => {
  shareStorage();
  let online = false;
  server.on("POST", PATH, () => (online ? accept() : networkError()));
  const [first, second] = [await loadPage(), await loadPage()];
  first.enqueueMessage(write("Hello"));
  await run();
  expect(second.outgoingMessages.value).toMatchObject([{ content: "Hello", state: "waiting" }]);
  online = true;
  second.resumeOutbox();
  await run();
  expect([first.outgoingMessages.value, second.outgoingMessages.value]).toEqual([[], []]);
  expect(stored()).toEqual([]);
});

test("one tab sends a message, and another if that tab closes meanwhile", async () => {
  shareStorage();
  let closeTab = () => {};
  const closed = new Promise<void>((resolve) => {
    closeTab = resolve;
  });
  let turn: Promise<unknown> = Promise.resolve();
  let requests = 0;
  const request = (_: string, work: () => Promise<unknown>) => {
    const isFirst = requests++ === 0;
    turn = turn.then(() => (isFirst ? Promise.race([work(), closed]) : work()));
    return turn;
  };
  vi.stubGlobal("navigator", { locks: { request }, onLine: true });
  server.on("POST", PATH, () => new Promise(() => undefined));
  const [first] = [await loadPage(), await loadPage()];
  first.enqueueMessage(write("Hello"));
  await run(10_000);
  expect(sent()).toEqual(["Hello"]);
  server.on("POST", PATH, accept);
  closeTab();
  await run();
  expect(sent()).toEqual(["Hello", "Hello"]);
  expect(new Set(keys()).size).toBe(1);
  expect(stored()).toEqual([]);
});

test("the outbox of an earlier version is taken over", async () => {
  const old = {
    ...write("Hello"),
    key: "k1",
    operator: 7,
    at: new Date().toISOString(),
    state: "waiting",
    error: "",
  };
  localStorage.setItem("parley.outbox", JSON.stringify([old, { ...old, key: "k2", content: "again" }]));
  server.on("POST", PATH, accept);
  const page = await loadPage();
  page.resumeOutbox();
  await run();
  expect(sent()).toEqual(["Hello", "again"]);
  expect(stored()).toEqual([]);
});
