/** Reopening a closed chat: from its page, and from the toast that follows a close. */
import { h, render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { useRoot } from "./root";

let server: FakeServer;
const REOPEN = "/operator/conversation/50/reopen";
const view = useRoot();

beforeEach(() => {
  location.hash = "#/chats/50";
  server = new FakeServer();
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
  render(h(Composer, { conversation }), view.root);
  view.root.querySelector("button")?.click();
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
