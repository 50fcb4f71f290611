/** The composer: what was typed as a private note is never sent to the visitor. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import type { Conversation } from "../shared/apiTypes";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { useRoot } from "./root";
import { logIn } from "./sessions";

const view = useRoot();

/** The panel's modules as a page loads them. Loading them again is a reload. */
async function loadPage() {
  vi.resetModules();
  const [{ Composer }, drafts, outbox, actions, { sites }] = await Promise.all([
    import("../panel/src/composer/composer"),
    import("../panel/src/composer/drafts"),
    import("../panel/src/composer/outbox"),
    import("../panel/src/conversation/actions"),
    import("../panel/src/sites/sites"),
  ]);
  sites.value = [{ id: 1, name: "Shop", permissions: ["can_chat"] } as never];
  return { Composer, drafts, outbox, actions };
}

type Page = Awaited<ReturnType<typeof loadPage>>;

const show = ({ Composer }: Page, conversation: Conversation) =>
  render(h(Composer, { key: conversation.id, conversation }), view.root);

const field = () => view.root.querySelector("textarea") as HTMLTextAreaElement;
const isNote = () => field().getAttribute("aria-label") === "Private note";

function type(text: string): void {
  field().focus();
  field().value += text;
  field().dispatchEvent(new InputEvent("input", { bubbles: true }));
}

const press = (key: string) =>
  field().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

test("opening a chat neither takes the focus nor the kind of the chat before", async () => {
  new FakeServer();
  const page = await loadPage();
  const [first, second] = [buildConversation({ id: 50 }), buildConversation({ id: 51 })];
  show(page, first);
  page.actions.focusComposer(50, "note");
  expect(document.activeElement).toBe(field());
  type("internal: ");
  show(page, second);
  expect(document.activeElement).not.toBe(field());
  expect(isNote()).toBe(false);
  page.actions.focusComposer(51, "reply");
  show(page, first);
  expect([isNote(), field().value]).toEqual([true, "internal: "]);
});

test("after a note the composer still writes notes", async () => {
  const server = new FakeServer();
  server.on("POST", "/operator/note", () => new Promise(() => undefined));
  const page = await loadPage();
  show(page, buildConversation());
  page.actions.focusComposer(50, "note");
  type("first");
  press("Enter");
  type("second");
  press("Enter");
  expect(page.outbox.outgoingMessages.value.map((item) => [item.kind, item.content])).toEqual([
    ["note", "first"],
    ["note", "second"],
  ]);
});

test("a change of who handles the chat does not turn what is being typed into the other kind", async () => {
  new FakeServer();
  const page = await loadPage();
  const sams = buildConversation({ operator: { id: 8, name: "Sam" } });
  show(page, sams);
  type("internal");
  show(page, buildConversation({ version: 2 }));
  expect([isNote(), field().value]).toEqual([true, "internal"]);

  page.actions.focusComposer(50, "reply");
  type("Hello");
  show(page, { ...sams, version: 3 });
  expect([isNote(), field().value]).toEqual([false, "Hello"]);
  press("Enter");
  expect(page.outbox.outgoingMessages.value).toEqual([]);
});

/** Deterministic random numbers. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

test("no order of keys, chats, tabs and reloads sends a note to the visitor", {
  timeout: 30_000,
}, async () => {
  const server = new FakeServer();
  const never = () => new Promise<Response>(() => undefined);
  for (const path of ["note", "message", "typing"]) server.on("POST", `/operator/${path}`, never);
  for (let seed = 1; seed <= 6; seed += 1) {
    const random = createRandom(seed);
    localStorage.clear();
    sessionStorage.clear();
    logIn();
    let page = await loadPage();
    let open = buildConversation({ id: 50 });
    let words = 0;
    show(page, open);
    const log: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      const action = random(10);
      log.push(String(action));
      if (action === 0) page.actions.focusComposer(open.id, "note");
      else if (action === 1) page.actions.focusComposer(open.id, "reply");
      else if (action === 2) page.actions.focusComposer(open.id);
      else if (action === 3 || action === 4) open = buildConversation({ id: 50 + random(2) });
      else if (action === 5) press(random(2) ? "Escape" : "Enter");
      else if (action === 6) open = { ...open, operator: random(2) ? { id: 8, name: "Sam" } : open.operator };
      else if (action === 7) dispatchEvent(new StorageEvent("storage", { key: `parley.draft.7.${open.id}` }));
      else if (action === 8 && random(3) === 0) {
        render(null, view.root);
        if (random(2)) sessionStorage.clear();
        page = await loadPage();
      }
      show(page, open);
      if (action === 9) {
        words += 1;
        type(` ${isNote() ? "secret" : "public"}${words}`);
      }
      const sent = page.outbox.outgoingMessages.value;
      const leaked = sent.filter((item) => item.kind === "message" && item.content.includes("secret"));
      expect(leaked, `seed ${seed}: ${log.join(" ")}`).toEqual([]);
    }
  }
});

test("an image that is dropped anywhere on the page is added to the reply", async () => {
  const server = new FakeServer();
  server.on("POST", "/operator/upload-image", () => json({ url: "/uploads/1.png" }));
  const page = await loadPage();
  const { ignoreDroppedFiles } = await import("../panel/src/composer/droppedFiles");
  const stop = ignoreDroppedFiles();
  await act(() => show(page, buildConversation()));
  const image = new File(["…"], "cat.png", { type: "image/png" });
  const event = Object.assign(new Event("drop", { bubbles: true, cancelable: true }), {
    dataTransfer: { types: ["Files"], files: [image] },
  });
  document.body.dispatchEvent(event);
  await settle();
  stop();
  expect(event.defaultPrevented, "the browser does not open it").toBe(true);
  expect(page.drafts.getDraft(50).image).toBe("/uploads/1.png");
});
