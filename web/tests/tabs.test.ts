/** Tabs of one browser: one of them holds the connection for all, and none misses anything. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "../shared/http";
import { openSharedStream } from "../shared/sharedStream";
import { TabGroup } from "../shared/tabs";
import { FakeStream } from "./fakeServer";
import { installTabs, suspend, uninstallTabs } from "./fakeTabs";

interface Tab {
  group: TabGroup;
  log: string[];
  errors: unknown[];
  close(): void;
}

let tabs: Tab[];
let connections: { lastEventId: string; stream: FakeStream; aborted: () => boolean }[];
let failWith: Error | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  tabs = [];
  connections = [];
  failWith = undefined;
});

afterEach(() => {
  for (const tab of tabs) tab.close();
  uninstallTabs();
  vi.useRealTimers();
});

const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const openConnections = () => connections.filter(({ aborted }) => !aborted());
const last = () => connections.at(-1) as (typeof connections)[0];

async function openTab(): Promise<Tab> {
  const group = new TabGroup("parley:test");
  const log: string[] = [];
  const errors: unknown[] = [];
  const close = openSharedStream(group, {
    connect: async (lastEventId, signal) => {
      if (failWith) throw failWith;
      const stream = new FakeStream();
      connections.push({ lastEventId, stream, aborted: () => signal.aborted });
      return stream.response;
    },
    onReady: (_event, resumed) => log.push(resumed ? "resumed" : "fetch"),
    onReset: () => log.push("reset"),
    onEvent: (event) => log.push(event.data),
    onState: (state) => state.state === "waiting" && errors.push(state.error),
    isFatal: () => false,
  });
  const tab = {
    group,
    log,
    errors,
    close: () => {
      close();
      group.close();
    },
  };
  tabs.push(tab);
  await run(500);
  return tab;
}

async function event(id: string, text: string): Promise<void> {
  last().stream.write(`event: message\nid: ${id}\ndata: ${text}\n\n`);
  await run();
}

describe.each([
  ["with locks", { locks: true }],
  ["without locks", { locks: false }],
])("%s", (_, support) => {
  beforeEach(() => installTabs(support));

  test("one connection serves all tabs", async () => {
    const [one, two, three] = [await openTab(), await openTab(), await openTab()];
    last().stream.event("ready", "1");
    await run();
    await event("2", "hello");
    expect(connections).toHaveLength(1);
    for (const tab of [one, two, three]) expect(tab.log).toEqual(["fetch", "hello"]);
  });

  test("a later tab fetches what was before and receives what follows", async () => {
    await openTab();
    last().stream.event("ready", "1");
    await event("2", "before");
    const late = await openTab();
    await event("3", "after");
    expect(late.log).toEqual(["fetch", "after"]);
  });

  test("when the leading tab is closed, another continues after the last event", async () => {
    const one = await openTab();
    const two = await openTab();
    const three = await openTab();
    last().stream.event("ready", "1");
    await event("2", "first");
    one.close();
    await run(1000);
    expect(openConnections()).toHaveLength(1);
    expect(last().lastEventId).toBe("2");
    last().stream.event("ready", "");
    // Repeated by the server, as after a resume.
    await event("2", "first");
    await event("3", "second");
    for (const tab of [two, three]) expect(tab.log).toEqual(["fetch", "first", "resumed", "second"]);
  });

  test("a leader whose tab is suspended is replaced", async () => {
    await openTab();
    const two = await openTab();
    suspend(0);
    await run(10_000);
    expect(two.group.isLeader).toBe(true);
    expect(last()).not.toBe(connections[0]);
  });

  test("two tabs that open at the same time agree", async () => {
    await Promise.all([openTab(), openTab(), openTab()]);
    await run(1000);
    expect(openConnections()).toHaveLength(1);
    expect(tabs.filter(({ group }) => group.isLeader)).toHaveLength(1);
  });

  test("every tab learns why the connection is lost", async () => {
    failWith = new ApiError(503, "unavailable", "later");
    await openTab();
    const two = await openTab();
    await run(30_000);
    expect(two.errors.at(-1)).toMatchObject({ status: 503, code: "unavailable" });
    expect(two.errors.at(-1)).toBeInstanceOf(ApiError);
  });

  test("messages reach all other tabs", async () => {
    const [one, two, three] = [await openTab(), await openTab(), await openTab()];
    const got: string[] = [];
    for (const tab of [one, two, three]) tab.group.on<string>("draft", (text) => got.push(text));
    one.group.post("draft", "half");
    await run();
    expect(got).toEqual(["half", "half"]);
  });
});

test("a tab that missed events while it was suspended fetches again", async () => {
  installTabs();
  await openTab();
  const two = await openTab();
  last().stream.event("ready", "1");
  await run();
  const resume = suspend(1);
  await event("2", "missed");
  resume();
  document.dispatchEvent(new Event("visibilitychange"));
  await run();
  expect(two.log).toEqual(["fetch", "fetch"]);
});

test("without channels every tab has a connection of its own", async () => {
  installTabs({ channel: false });
  await openTab();
  await openTab();
  expect(openConnections()).toHaveLength(2);
});
