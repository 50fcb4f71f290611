/** When the widget asks for a trigger's message, shows it, and lets it be. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeJson, writeText } from "../shared/storage";
import { readTrigger } from "../widget/src/triggers/shownTrigger";
import { start } from "../widget/src/triggers/triggers";
import { FakeServer, json, networkError } from "./fakeServer";

const RULE = {
  id: 7,
  include_pages: [],
  exclude_pages: [],
  seconds: 3,
  scroll_percent: 0,
  exit_intent: false,
  visitors: "all",
  languages: [],
  frequency: "visit",
  interval_hours: 24,
};
const KEY = "pk_1";
const HALF_HOUR_MS = 30 * 60_000;

let server: FakeServer;
let stop: AbortController;
let root: HTMLElement;
let open: () => void;
let answer: object | null;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
  answer = { id: 7, message: "Need **help**?" };
  server.on("POST", "/chat/triggers/show", () => json({ trigger: answer }));
  server.on("POST", "/chat/triggers/opened", () => json({}));
  writeJson(`parley:${KEY}:site`, { colour: "#123456", triggers: "v1" });
});

afterEach(() => {
  stop.abort();
  document.querySelector("parley-chat")?.remove();
  vi.clearAllTimers();
  vi.useRealTimers();
});

/** Opens a page of a site with these rules. */
function openPage(...rules: object[]): void {
  server.on("GET", "/chat/triggers", () => json({ triggers: rules }));
  document.querySelector("parley-chat")?.remove();
  const host = document.body.appendChild(document.createElement("parley-chat"));
  const shadow = host.attachShadow({ mode: "open" });
  root = shadow.appendChild(document.createElement("div"));
  root.className = "root";
  const element = root.appendChild(document.createElement("div"));
  root.appendChild(document.createElement("button")).className = "launcher";
  stop = new AbortController();
  open = () => {
    root.className = "root open";
  };
  const embed = { origin: "http://parley.test", siteKey: KEY, sessionId: "s".repeat(32), language: "en" };
  start({ embed, root: shadow, element, open } as never, stop.signal);
}

const run = (seconds: number) => vi.advanceTimersByTimeAsync(1000 * seconds);
const asked = () => server.requests.filter(({ url }) => url.pathname.endsWith("/show")).length;
const teaser = () => root.querySelector<HTMLElement>(".teaser-text");

async function nextPage(...rules: object[]): Promise<void> {
  stop.abort();
  openPage(...rules);
  await run(4);
}

test("it appears after its seconds, once in a visit, and its rules are fetched once", async () => {
  openPage({ ...RULE });
  await run(2);
  expect(asked()).toBe(0);
  await run(2);
  expect(teaser()?.textContent).toBe("Need help?");
  root.querySelector<HTMLElement>(".teaser-close")?.click();
  await run(60);
  await nextPage({ ...RULE });
  expect([asked(), teaser(), readTrigger(KEY)]).toEqual([1, null, null]);
  await vi.advanceTimersByTimeAsync(0);
  stop.abort();
  await vi.advanceTimersByTimeAsync(HALF_HOUR_MS + 1000);
  await nextPage({ ...RULE });
  expect(asked()).toBe(2);
  expect(server.requests.filter(({ method }) => method === "GET").length).toBe(1);
});

test("it stays on the next page until the visitor opens the chat, which is counted once", async () => {
  openPage({ ...RULE });
  await run(4);
  await nextPage({ ...RULE });
  expect([teaser()?.textContent, asked()]).toEqual(["Need help?", 1]);
  teaser()?.click();
  await run(2);
  root.className = "root";
  await run(60);
  expect([teaser(), readTrigger(KEY)?.opened]).toEqual([null, true]);
  expect(server.requests.filter(({ url }) => url.pathname.endsWith("/opened")).length).toBe(1);
});

test.each([
  ["a conversation is going on", () => writeText(`parley:${KEY}:known`, "1")],
  ["the window is open", () => open()],
  ["the page has hidden the button", () => root.classList.add("bare")],
  ["the page is not visible", () => vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden")],
])("nothing is asked for while %s", async (_, prepare) => {
  openPage({ ...RULE });
  prepare();
  await run(120);
  expect(asked()).toBe(0);
});

test.each([
  ["another page", { include_pages: ["/nowhere"] }],
  ["an excluded page", { exclude_pages: ["*"] }],
  ["another language", { languages: ["de"] }],
  ["who came before", { visitors: "returning" }],
  ["who leaves", { exit_intent: true }],
])("one for %s is not asked for", async (_, condition) => {
  openPage({ ...RULE, ...condition });
  await run(30);
  expect(asked()).toBe(0);
});

test("one for who leaves appears when the pointer leaves the page at its top", async () => {
  openPage({ ...RULE, exit_intent: true });
  const leave = (clientY: number) => document.dispatchEvent(new MouseEvent("mouseout", { clientY }));
  leave(-1);
  await run(5);
  leave(300);
  await run(1);
  expect(asked()).toBe(0);
  leave(-1);
  await run(0);
  expect(teaser()).not.toBeNull();
});

test("a refusal is asked again after a minute, Escape dismisses, and a conversation ends it", async () => {
  answer = null;
  openPage({ ...RULE });
  await run(50);
  expect([asked(), teaser()]).toEqual([1, null]);
  answer = { id: 7, message: "Hello" };
  await run(20);
  expect([asked(), teaser()?.textContent]).toEqual([2, "Hello"]);
  writeText(`parley:${KEY}:known`, "1");
  await run(1);
  expect(teaser()).toBeNull();
  writeText(`parley:${KEY}:known`, "0");
  await run(1);
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  expect([teaser(), readTrigger(KEY)]).toEqual([null, null]);
});

test("a preview shows a trigger that is off, and counts nothing", async () => {
  history.replaceState(null, "", "?parley_preview=token");
  writeText(`parley:${KEY}:known`, "1");
  openPage({ ...RULE, message: "Draft", visitors: "returning" });
  await run(4);
  expect(teaser()?.textContent).toBe("Draft");
  teaser()?.click();
  await run(1);
  expect(server.requests.map(({ url }) => url.pathname)).toEqual(["/api/v1/chat/triggers"]);
  expect(server.requests[0]?.url.searchParams.get("preview")).toBe("token");
  history.replaceState(null, "", "?");
});

test("after a dismissal, no other one is asked for in that visit", async () => {
  openPage({ ...RULE }, { ...RULE, id: 8, seconds: 20 });
  await run(4);
  root.querySelector<HTMLElement>(".teaser-close")?.click();
  await run(30);
  expect([asked(), teaser()]).toEqual([1, null]);
});

test("a page that is left before the rules have come does not keep the next page from asking", async () => {
  openPage({ ...RULE, seconds: 0 });
  server.on("GET", "/chat/triggers", () => networkError());
  await run(2);
  expect(server.to("GET", "/chat/triggers")).toHaveLength(1);
  stop.abort();
  openPage({ ...RULE, seconds: 0 });
  await run(2);
  expect(server.to("POST", "/chat/triggers/show")).toHaveLength(1);
});

test("its quick replies are next to it: a choice opens the chat, which sends it, and a link opens by itself", async () => {
  const quick_replies = [
    { label: "Prices", value: "What does it cost?", url: null },
    { label: "Docs", value: null, url: "https://shop.test/docs" },
    { label: "Bad", value: null, url: "javascript:alert(1)" },
    { label: "Sales", value: null, url: null },
    { label: "A fifth one", value: null, url: null },
  ];
  answer = { id: 7, message: "Need help?", quick_replies };
  openPage({ ...RULE });
  await run(4);
  const replies = [...root.querySelectorAll<HTMLElement>(".teaser-replies > *")];
  expect(replies.map(({ textContent }) => textContent)).toEqual(["Prices", "Docs", "Bad", "Sales"]);
  expect(replies.slice(1, 3).map((link) => link.getAttribute("href"))).toEqual([
    "https://shop.test/docs",
    null,
  ]);
  replies[0]?.click();
  expect(readTrigger(KEY)?.chosen?.text).toBe("What does it cost?");
  await run(1);
  expect([root.className, teaser(), readTrigger(KEY)?.opened]).toEqual(["root open", null, true]);
});
