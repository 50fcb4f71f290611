/** Reopening a closed chat: from its page, and from the toast that follows a close. */
import { h, options, render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

let root: HTMLElement;
let server: FakeServer;
const debounceRendering = options.debounceRendering;
const REOPEN = "/operator/conversation/50/reopen";

beforeEach(() => {
  localStorage.clear();
  location.hash = "#/chats/50";
  logIn();
  server = new FakeServer();
  root = document.body.appendChild(document.createElement("div"));
  options.debounceRendering = (work) => work();
});

afterEach(() => {
  render(null, root);
  root.remove();
  if (debounceRendering) options.debounceRendering = debounceRendering;
  else delete options.debounceRendering;
});

async function loadPage() {
  vi.resetModules();
  const [{ Composer }, toasts, actions, { sites }, { route }] = await Promise.all([
    import("../panel/src/composer/composer"),
    import("../panel/src/components/toasts"),
    import("../panel/src/conversation/actions"),
    import("../panel/src/sites/sites"),
    import("../panel/src/navigation/route"),
  ]);
  sites.value = [{ id: 1, name: "Shop", permissions: ["can_chat"] } as never];
  return { Composer, toasts, actions, route };
}

test("a closed chat is reopened from its page", async () => {
  const conversation = buildConversation({ mode: "closed", operator: null });
  server.on("POST", REOPEN, () => json({ conversation }));
  const { Composer } = await loadPage();
  render(h(Composer, { conversation }), root);
  root.querySelector("button")?.click();
  await settle();
  expect(server.to("POST", REOPEN)).toHaveLength(1);
});

test("a close can be undone from its toast", async () => {
  const conversation = buildConversation();
  server.on("POST", "/operator/close/50", () => json({ conversation }));
  server.on("POST", REOPEN, () => json({ conversation }));
  const { actions, toasts } = await loadPage();
  const closing = actions.closeConversation(conversation);
  toasts.pendingConfirmation.value?.resolve(true);
  await closing;
  expect(toasts.toasts.value.map(({ text, action }) => [text, action?.label])).toEqual([
    ["Chat closed.", "Undo"],
  ]);
  toasts.toasts.value[0]?.action?.run();
  await settle();
  expect(server.to("POST", REOPEN)).toHaveLength(1);
});

test("a visitor's newer chat is offered instead", async () => {
  const error = "The visitor has started a newer conversation.";
  server.on("POST", REOPEN, () => json({ code: "newer_conversation", error, conversation_id: 51 }, 409));
  const { actions, toasts, route } = await loadPage();
  await actions.reopenConversation(buildConversation({ mode: "closed" }));
  expect(toasts.toasts.value.map(({ tone, text }) => [tone, text])).toEqual([["error", error]]);
  toasts.toasts.value[0]?.action?.run();
  expect(route.value).toEqual({ page: "chats", conversation: 51 });
});
