/** The preview of a translated reply. */
import { h, render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import type { ConversationDetail } from "../shared/apiTypes";
import { buildDetail, buildMessage } from "./builders";
import { FakeServer, failure, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const PREVIEW = "/operator/translation/preview";
const GERMAN = { enabled: true, lang: "de", operator_lang: "en", supported: true };
let server: FakeServer;
const view = useRoot();

beforeEach(() => {
  server = new FakeServer();
  server.on("POST", PREVIEW, () =>
    json({ translation: { lang: "de", content: "Guten Tag", status: "done" } }),
  );
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
  render(h(Composer, { conversation: detail }), view.root);
}

async function type(text: string): Promise<void> {
  const field = view.root.querySelector("textarea") as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await vi.waitFor(() => expect(server.to("POST", PREVIEW)).not.toHaveLength(0), 2000);
  await settle();
}

test("the first reply of a translated chat is shown as the visitor will read it", async () => {
  await openChat(buildDetail([buildMessage(1)], { translation: GERMAN }));
  await type("Good day");
  expect(server.to("POST", PREVIEW)[0]?.body).toEqual({ conversation_id: 50, content: "Good day" });
  expect(view.root.querySelector(".translation-preview")?.textContent).toContain("Guten Tag");
});

test("a preview that cannot be fetched says so, and not that the text is sent as written", async () => {
  server.on("POST", PREVIEW, () => failure(503, "unavailable"));
  await openChat(buildDetail([buildMessage(1)], { translation: GERMAN }));
  await type("Good day");
  expect(view.root.querySelector(".translation-preview .error-text")?.textContent).toBeTruthy();
  expect(view.root.querySelector(".translation-preview")?.textContent).not.toContain("as written");
});

test("later replies are previewed on request, and notes never", async () => {
  const reply = buildMessage(2, { role: "operator" });
  await openChat(buildDetail([buildMessage(1), reply], { translation: GERMAN }));
  view.root.querySelector<HTMLElement>("[aria-label='Preview translation']")?.click();
  await type("Good day");
  expect(view.root.querySelector(".translation-preview")?.textContent).toContain("Guten Tag");
  [...view.root.querySelectorAll("button")].find((button) => button.textContent?.includes("Note"))?.click();
  expect(view.root.querySelector(".translation-preview")).toBeNull();
});

test("a chat that is not translated has no preview", async () => {
  await openChat(buildDetail([buildMessage(1)], { translation: { ...GERMAN, lang: "en" } }));
  expect(view.root.querySelector("[aria-label='Preview translation']")).toBeNull();
});
