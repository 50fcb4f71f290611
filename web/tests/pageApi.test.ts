/** What a page calls and listens to: before the script has run, after it, and after the widget was removed. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PageConfig } from "../widget/src/embedConfig";
import { FakeServer, json } from "./fakeServer";

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
  server.on("POST", "/chat/heartbeat", () => json({ colour: "#123456" }));
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

test("calls from before the script has run are made in their order", async () => {
  includeStub();
  page.parley?.("on", "ready", listen("ready"));
  page.parley?.("hide");
  page.parley?.("setLanguage", "de-AT");
  await runScript();
  expect(received).toEqual([["ready", { version: "1.2.3" }]]);
  expect(root()?.querySelector(".root")?.className).toBe("root bare");
  expect(button()?.getAttribute("aria-label")).toBe("Chat");
  page.parley?.("on", "ready", listen("late"));
  expect(received.at(-1)).toEqual(["late", { version: "1.2.3" }]);
  expect(page.Parley).toMatchObject({ siteKey: "pk_1", version: "1.2.3" });
  page.Parley?.["show"]?.();
  page.parley?.("setLanguage", "tlh");
  expect(root()?.querySelector(".root")?.className).toBe("root");
  expect(button()?.getAttribute("aria-label")).toBe("Chat");
  page.parley?.("setLanguage", "ar-EG");
  expect(button()?.getAttribute("aria-label")).toBe("محادثة");
  expect(button()?.closest(".root")?.getAttribute("dir")).toBe("rtl");
  await run(10);
  page.parley?.("setLanguage", "fr");
  await run(30_000);
  const languages = server.to("POST", "/chat/heartbeat").map(({ body }) => (body as { lang: string }).lang);
  expect([languages[0], languages.at(-1)]).toEqual([navigator.language, "fr"]);
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
