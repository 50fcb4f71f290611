/** The preview of a translated reply. */
import { h, options, render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConversationDetail } from "../shared/apiTypes";
import { buildDetail, buildMessage } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

const PREVIEW = "/operator/translation/preview";
const GERMAN = { enabled: true, lang: "de", operator_lang: "en", supported: true };
let root: HTMLElement;
let server: FakeServer;
const debounceRendering = options.debounceRendering;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  logIn();
  server = new FakeServer();
  server.on("POST", PREVIEW, () =>
    json({ translation: { lang: "de", content: "Guten Tag", status: "done" } }),
  );
  root = document.body.appendChild(document.createElement("div"));
  options.debounceRendering = (work) => work();
});

afterEach(() => {
  render(null, root);
  root.remove();
  if (debounceRendering) options.debounceRendering = debounceRendering;
  else delete options.debounceRendering;
});

async function openChat(detail: ConversationDetail) {
  vi.resetModules();
  server.on("GET", "/operator/conversation/50", () => json({ conversation: detail }));
  const [{ Composer }, threads, { sites }] = await Promise.all([
    import("../panel/src/composer/composer"),
    import("../panel/src/conversation/threads"),
    import("../panel/src/sites/sites"),
  ]);
  sites.value = [{ id: 1, name: "Shop", permissions: ["can_chat"] } as never];
  await threads.loadThread(50);
  render(h(Composer, { conversation: detail }), root);
}

async function type(text: string): Promise<void> {
  const field = root.querySelector("textarea") as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await vi.waitFor(() => expect(server.to("POST", PREVIEW)).not.toHaveLength(0), 2000);
  await settle();
}

test("the first reply of a translated chat is shown as the visitor will read it", async () => {
  await openChat(buildDetail([buildMessage(1)], { translation: GERMAN }));
  await type("Good day");
  expect(server.to("POST", PREVIEW)[0]?.body).toEqual({ conversation_id: 50, content: "Good day" });
  expect(root.querySelector(".translation-preview")?.textContent).toContain("Guten Tag");
});

test("later replies are previewed on request, and notes never", async () => {
  const reply = buildMessage(2, { role: "operator" });
  await openChat(buildDetail([buildMessage(1), reply], { translation: GERMAN }));
  root.querySelector<HTMLElement>("[aria-label='Preview translation']")?.click();
  await type("Good day");
  expect(root.querySelector(".translation-preview")?.textContent).toContain("Guten Tag");
  [...root.querySelectorAll("button")].find((button) => button.textContent?.includes("Note"))?.click();
  expect(root.querySelector(".translation-preview")).toBeNull();
});

test("a chat that is not translated has no preview", async () => {
  await openChat(buildDetail([buildMessage(1)], { translation: { ...GERMAN, lang: "en" } }));
  expect(root.querySelector("[aria-label='Preview translation']")).toBeNull();
});
