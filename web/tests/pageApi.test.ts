/** What a page calls and listens to: before the script has run, after it, and after the widget was removed. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PageConfig } from "../widget/src/embedConfig";
import { FakeServer, failure, json, networkError } from "./fakeServer";

type Parley = Record<string, (...args: unknown[]) => void> & { version: string };
const page = window as unknown as {
  parley: undefined | ((...call: unknown[]) => void);
  Parley: (PageConfig & Parley) | undefined;
};

let server: FakeServer;
let warnings: string[];
const received: unknown[] = [];
const listen = (name: string) => (detail: unknown) => received.push([name, detail]);

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  vi.stubGlobal("CHAT_FILE", "chat-1.js");
  vi.stubGlobal("VERSION", "1.2.3");
  localStorage.clear();
  received.length = 0;
  warnings = [];
  vi.spyOn(console, "warn").mockImplementation((text) => void warnings.push(text));
  server = new FakeServer();
  server.on("POST", "/chat/heartbeat", ({ body }) => {
    const { lang } = body as { lang: string };
    return json({
      colour: "#123456",
      texts: { language: lang, open_chat: `Open (${lang})`, load_failed: "…" },
    });
  });
  page.parley = undefined;
  page.Parley = { siteKey: "pk_1", origin: "http://parley.test" } as PageConfig & Parley;
});

afterEach(() => {
  page.parley?.("shutdown");
  vi.clearAllTimers();
  vi.useRealTimers();
});

/** The documented two lines. */
function includeStub(): void {
  function collect(): void {
    // biome-ignore lint/complexity/noArguments: as pages include it.
    // biome-ignore lint/suspicious/noAssignInExpressions: as pages include it.
    ((collect as { q?: unknown[] }).q = (collect as { q?: unknown[] }).q || []).push(arguments);
  }
  page.parley = page.parley || collect;
}

const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const runScript = () => import("../widget/src/launcher/main");
const widget = () => document.querySelector("parley-chat");
const root = () => widget()?.shadowRoot;
const button = () => root()?.querySelector<HTMLElement>(".launcher");

/** Opens the chat, and pastes an image into it. */
async function pasteImage(): Promise<void> {
  page.parley?.("open");
  const field = await vi.waitFor(() => {
    const found = root()?.querySelector("textarea");
    expect(found).toBeTruthy();
    return found as HTMLTextAreaElement;
  });
  const files = [new File(["x"], "a.png", { type: "image/png" })];
  field.dispatchEvent(Object.assign(new Event("paste"), { clipboardData: { files } }));
}

test("calls from before the script has run are made in their order", async () => {
  includeStub();
  page.parley?.("on", "ready", listen("ready"));
  page.parley?.("hide");
  page.parley?.("setLanguage", "de-AT");
  await runScript();
  expect(received).toEqual([["ready", { version: "1.2.3" }]]);
  expect(root()?.querySelector(".root")?.className).toBe("root bare");
  page.parley?.("on", "ready", listen("late"));
  expect(received.at(-1)).toEqual(["late", { version: "1.2.3" }]);
  expect(page.Parley).toMatchObject({ siteKey: "pk_1", version: "1.2.3" });
  page.Parley?.["show"]?.();
  expect(root()?.querySelector(".root")?.className).toBe("root");
  page.parley?.("setLanguage", "ar-EG");
  expect(button()?.closest(".root")?.getAttribute("dir")).toBe("rtl");
  // The next heartbeat brings the button's name; a later page has it from the beginning.
  await run(2500);
  expect(button()?.getAttribute("aria-label")).toBe("Open (ar-EG)");
  const languages = server.to("POST", "/chat/heartbeat").map(({ body }) => (body as { lang: string }).lang);
  expect(languages).toEqual([navigator.language, "ar-EG"]);
  page.parley?.("shutdown");
  page.parley?.("boot");
  expect(button()?.getAttribute("aria-label")).toBe("Open (ar-EG)");
});

test("a page without the two lines has the function as soon as the script has run", async () => {
  const body = document.body;
  body.remove();
  await runScript();
  page.parley?.("on", "ready", listen("ready"));
  expect(received).toEqual([]);
  document.documentElement.append(body);
  document.dispatchEvent(new Event("DOMContentLoaded"));
  expect(received).toHaveLength(1);
});

test("what is unknown is a warning, and a listener that fails stops neither others nor the widget", async () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  includeStub();
  page.parley?.("dance");
  page.parley?.("toString");
  page.parley?.("on", "sneeze", listen("never"));
  page.parley?.("on", "open", "not a function");
  const failure = new Error("the page's own");
  page.parley?.("on", "ready", () => {
    throw failure;
  });
  page.parley?.("on", "ready", listen("ready"));
  await runScript();
  expect(warnings).toHaveLength(4);
  expect(received).toHaveLength(1);
  expect(reported.mock.calls).toEqual([[failure]]);
});

test("junk among the calls, and arguments of wrong types, stop neither the page nor other calls", async () => {
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  server.on("POST", "/chat/identify", () => failure(422, "validation_failed"));
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const broken = {
    toString() {
      throw new Error("the page's own");
    },
  };
  const junk = [
    null,
    undefined,
    5,
    "",
    {},
    [],
    [Symbol("open")],
    ["__proto__"],
    [broken],
    { length: 1e9 }.length,
  ];
  const wrong = [
    ["boot", null],
    ["boot", 7],
    ["on"],
    ["on", broken, listen("x")],
    ["off"],
    ["setLanguage", broken],
  ];
  const texts = [
    ["setTheme", circular],
    ["prefill", broken],
    ["prefill", Symbol("x")],
    ["identify", circular],
  ];
  const listening = ["on", "ready", listen("ready")];
  page.parley = Object.assign(() => undefined, { q: [...junk, ...wrong, ...texts, listening] });
  page.Parley = Object.freeze({ ...page.Parley, launcher: 5 as never }) as unknown as typeof page.Parley;
  await runScript();
  expect(received).toEqual([["ready", { version: "1.2.3" }]]);
  await run(60_000);
  // What is no token is refused once, and not sent again and again.
  expect(server.to("POST", "/chat/identify").map(({ body }) => (body as { token: string }).token)).toEqual([
    "[object Object]",
  ]);
  expect(reported.mock.calls.every(([error]) => (error as Error).message === "the page's own")).toBe(true);
  expect(({} as Record<string, unknown>)["open"]).toBeUndefined();
  page.Parley?.["hide"]?.();
  expect(root()?.querySelector(".root")?.className).toBe("root bare");
});

test.each([7, "open", null, { length: 2 }])("calls that are no list, such as %s, are left out", async (q) => {
  page.parley = Object.assign(() => undefined, { q });
  await runScript();
  page.parley?.("on", "ready", listen("ready"));
  expect(received).toHaveLength(1);
});

test("an element of the page that has the function's name does not take its place", async () => {
  page.parley = document.createElement("a") as unknown as typeof page.parley;
  await runScript();
  page.parley?.("on", "ready", listen("ready"));
  expect(received).toHaveLength(1);
});

test("the site's colours have a dark and a light form", async () => {
  await runScript();
  const background = () => /--background:\s*(#\w+)/.exec(colours())?.[1];
  const colours = () =>
    [...(root()?.adoptedStyleSheets[1]?.cssRules ?? [])].map((rule) => rule.cssText).join("");
  expect(background()).toBe("#ffffff");
  page.parley?.("setTheme", "dark");
  expect(background()).toBe("#16201e");
  page.parley?.("setTheme", "light");
  expect(background()).toBe("#ffffff");
});

test("shutdown leaves nothing behind, and boot starts again", async () => {
  const added = vi.spyOn(window, "addEventListener");
  await runScript();
  page.parley?.("on", "ready", listen("ready"));
  await run(10);
  page.parley?.("shutdown");
  expect(widget()).toBeNull();
  const before = server.requests.length;
  page.parley?.("open");
  page.parley?.("send", "Hello");
  await run(120_000);
  expect(server.requests.length).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
  document.body.append(document.createElement("p"));
  location.hash = "#parley";
  await run(10);
  expect(widget()).toBeNull();
  const leaked = added.mock.calls.filter(([, , options]) => !(options as AddEventListenerOptions)?.signal);
  expect(leaked).toEqual([]);
  location.hash = "";

  received.length = 0;
  page.parley?.("on", "ready", listen("ready"));
  page.parley?.("boot", { siteKey: "pk_2" });
  expect(received).toEqual([["ready", { version: "1.2.3" }]]);
  await run(10);
  expect(server.to("POST", "/chat/heartbeat").at(-1)?.body).toMatchObject({ site_key: "pk_2" });
  // A page that runs its scripts again.
  page.parley?.("boot");
  page.parley?.("boot", { siteKey: "pk_2" });
  expect(document.querySelectorAll("parley-chat")).toHaveLength(1);
  expect(warnings).toEqual(["Parley: already on this page"]);
});

test("an element of the page, also one that comes later, opens the chat in place of the button", async () => {
  const script = document.createElement("script");
  script.src = "http://parley.test/widget.js";
  script.dataset["siteKey"] = "pk_3";
  script.dataset["launcher"] = "#help";
  document.head.append(script);
  await runScript();
  const icon = document.createElement("i");
  const help = document.createElement("button");
  help.id = "help";
  help.append(icon);
  document.body.append(help);
  expect(root()?.querySelector(".root")?.className).toBe("root bare");
  const isLoading = () => button()?.getAttribute("aria-busy") === "true";
  document.body.click();
  expect(isLoading()).toBe(false);
  icon.click();
  expect(isLoading()).toBe(true);
  help.click();
  expect(isLoading()).toBe(false);
  page.parley?.("shutdown");
  page.parley?.("boot", { launcher: "#" });
  expect(warnings).toEqual(["Parley: launcher is no selector"]);
  expect(root()?.querySelector(".root")?.className).toBe("root");
  script.remove();
  help.remove();
});

test.each([
  ["has a conversation somewhere", { conversation_id: 7, joined: true }, null, "1"],
  ["wrote here before", { conversation_id: null, joined: true }, "1", "1"],
  ["may have a history that another device is joining", { conversation_id: null, joined: true }, null, "0"],
  ["is somebody else", { conversation_id: null, joined: false }, "1", "0"],
])("a person who %s is known so on", async (_name, answer, known, expected) => {
  const session_id = "s".repeat(32);
  server.on("POST", "/chat/identify", () => json({ session_id, ...answer }));
  const key = (name: string) => `parley:pk_1:${name}`;
  if (known) localStorage.setItem(key("known"), known);
  localStorage.setItem(key("draft"), "About order 17");
  page.parley = Object.assign(() => undefined, { q: [["identify", "token"]] });
  await runScript();
  await run(10);
  expect(localStorage.getItem(key("session"))).toBe(session_id);
  expect(localStorage.getItem(key("known"))).toBe(expected);
  expect(localStorage.getItem(key("draft"))).toBe(answer.joined ? "About order 17" : null);
});

/** The tokens that the server was asked about. */
const identified = () =>
  server.to("POST", "/chat/identify").map(({ body }) => (body as { token: string }).token);

test("an outage is not met with a request per second", async () => {
  server.on("POST", "/chat/identify", () => failure(503, "unavailable"));
  await runScript();
  page.parley?.("identify", "token");
  await run(300_000);
  expect(identified().length).toBeGreaterThan(15);
  expect(identified().length).toBeLessThan(50);
});

test.each([
  ["a logout", ["reset"], ["old"]],
  ["another customer's login", ["identify", "new"], ["old", "new"]],
])("a token that could not be checked is not tried again after %s", async (_name, call, expected) => {
  server.on("POST", "/chat/end-session", () => json({}));
  server.on("POST", "/chat/identify", ({ body }) =>
    (body as { token: string }).token === "old" ? failure(503, "unavailable") : json({ session_id: null }),
  );
  await runScript();
  page.parley?.("identify", "old");
  await run(10);
  page.parley?.(...call);
  await run(60_000);
  expect(identified()).toEqual(expected);
});

test("an answer that is late does not bring the customer before back", async () => {
  const answers = new Map<string, (response: Response) => void>();
  server.on("POST", "/chat/identify", ({ body }) => {
    const { token } = body as { token: string };
    return new Promise((answer) => answers.set(token, answer));
  });
  await runScript();
  page.parley?.("identify", "old");
  page.parley?.("identify", "new");
  await run(10);
  const session = (letter: string) => ({
    session_id: letter.repeat(32),
    joined: false,
    conversation_id: null,
  });
  answers.get("old")?.(json(session("o")));
  await run(10);
  answers.get("new")?.(json(session("n")));
  await run(10);
  expect(localStorage.getItem("parley:pk_1:session")).toBe("n".repeat(32));
});

test.each([
  ["goes on for the same person", true, ["s".repeat(32)]],
  ["never reaches another one", false, []],
])("what is under way when the visitor is identified %s", async (_name, joined, expected) => {
  vi.doMock("../widget/src/launcher/chatLoader", () => ({ loadChat: () => import("../widget/src/chat") }));
  const session_id = "s".repeat(32);
  const uploads: [session: string, answer: (response: Response) => void][] = [];
  server.on("POST", "/chat/identify", () => json({ session_id, joined, conversation_id: null }));
  server.on("GET", "/chat/config", () => json({ name: "Shop", welcome: "", colours: {} }));
  server.on("POST", "/chat/upload-image", ({ body }) => {
    const session = String((body as FormData).get("session_id"));
    return new Promise((answer) => uploads.push([session, answer]));
  });
  server.on("POST", "/chat/stream", () => new Response("", { status: 200 }));
  await runScript();
  await pasteImage();
  await vi.waitFor(() => expect(uploads).toHaveLength(1));
  page.parley?.("identify", "token");
  await vi.waitFor(() => expect(localStorage.getItem("parley:pk_1:session")).toBe(session_id));
  if (joined) await vi.waitFor(() => expect(uploads).toHaveLength(2));
  for (const [index, [, answer]] of uploads.entries()) answer(json({ url: `/uploads/${index}.png` }));
  await run(2500);
  const sent = server.to("POST", "/chat/stream").map(({ body }) => body as Record<string, string>);
  expect(sent.map((body) => body["session_id"])).toEqual(expected);
  expect(sent.map((body) => body["image_url"])).toEqual(expected.map(() => "/uploads/1.png"));
  expect(uploads.slice(1).map(([session]) => session)).toEqual(expected);
  expect(Object.keys(localStorage).filter((name) => name.includes("outbox"))).toEqual([]);
  vi.doUnmock("../widget/src/launcher/chatLoader");
});

test.each([
  ["waits for the same person", true, ["s".repeat(32)]],
  ["is gone for another one", false, []],
])("an upload that failed before the visitor is identified %s", async (_name, joined, expected) => {
  vi.doMock("../widget/src/launcher/chatLoader", () => ({ loadChat: () => import("../widget/src/chat") }));
  const session_id = "s".repeat(32);
  const sessions: string[] = [];
  server.on("POST", "/chat/identify", () => json({ session_id, joined, conversation_id: null }));
  server.on("GET", "/chat/config", () => json({ name: "Shop", welcome: "", colours: {} }));
  server.on("POST", "/chat/upload-image", () => networkError());
  server.on("POST", "/chat/stream", () => new Response("", { status: 200 }));
  const tryAgain = () => root()?.querySelector<HTMLElement>(".composer .banner .text-button");
  await runScript();
  await pasteImage();
  const before = await vi.waitFor(() => {
    expect(tryAgain()).toBeTruthy();
    return tryAgain();
  });
  server.on("POST", "/chat/upload-image", ({ body }) => {
    sessions.push(String((body as FormData).get("session_id")));
    return json({ url: "/uploads/1.png" });
  });
  page.parley?.("identify", "token");
  await vi.waitFor(() => expect(localStorage.getItem("parley:pk_1:session")).toBe(session_id));
  await run(2500);
  page.parley?.("open");
  await run(2500);
  expect(tryAgain()).not.toBe(before);
  tryAgain()?.click();
  await run(2500);
  const sent = server.to("POST", "/chat/stream").map(({ body }) => body as Record<string, string>);
  expect(sessions).toEqual(expected);
  expect(sent.map((body) => [body["session_id"], body["image_url"]])).toEqual(
    expected.map((session) => [session, "/uploads/1.png"]),
  );
  vi.doUnmock("../widget/src/launcher/chatLoader");
});
