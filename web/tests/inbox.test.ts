/** The inbox: the newest version of each conversation wins, whether it comes from a fetch or an event. */
import { beforeEach, expect, test, vi } from "vitest";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

type Inbox = typeof import("../panel/src/inbox/conversations");

const PATH = "/operator/all-active-chats";

let server: FakeServer;
let inbox: Inbox;

beforeEach(async () => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  server = new FakeServer();
  inbox = await import("../panel/src/inbox/conversations");
});

const ids = () => [...inbox.conversations.value.keys()];

test("an older version changes nothing", () => {
  inbox.mergeConversations([buildConversation({ version: 3, unread: 1 })]);
  inbox.mergeConversations([buildConversation({ version: 2, unread: 9 })]);
  expect(inbox.conversations.value.get(50)?.unread).toBe(1);
});

test("all pages are fetched", async () => {
  server.on("GET", PATH, ({ url }) =>
    url.searchParams.get("cursor")
      ? json({ chats: [buildConversation({ id: 2 })], next_cursor: null })
      : json({ chats: [buildConversation({ id: 1 })], next_cursor: "next" }),
  );
  await inbox.loadConversations();
  expect(ids()).toEqual([1, 2]);
});

test("the first page is shown before the others have arrived", async () => {
  server.on("GET", PATH, ({ url }) =>
    url.searchParams.get("cursor")
      ? new Promise(() => undefined)
      : json({ chats: [buildConversation({ id: 1 })], next_cursor: "next" }),
  );
  void inbox.loadConversations();
  await settle();
  expect([ids(), inbox.conversationsLoaded.value]).toEqual([[1], true]);
});

test("a conversation that was closed while disconnected disappears", async () => {
  inbox.mergeConversations([buildConversation({ id: 1 }), buildConversation({ id: 2 })]);
  server.on("GET", PATH, () => json({ chats: [buildConversation({ id: 2 })], next_cursor: null }));
  await inbox.loadConversations();
  expect(ids()).toEqual([2]);
});

test("a conversation that an event brings during the fetch stays", async () => {
  let respond: (response: Response) => void = () => undefined;
  server.on("GET", PATH, ({ url }) =>
    url.searchParams.get("status") === "snoozed"
      ? json({ chats: [], next_cursor: null })
      : new Promise((resolve) => (respond = resolve)),
  );
  const loading = inbox.loadConversations();
  await settle();
  inbox.mergeConversations([buildConversation({ id: 3, version: 1 })]);
  respond(json({ chats: [buildConversation({ id: 2 })], next_cursor: null }));
  await loading;
  expect(ids().sort()).toEqual([2, 3]);
});

test("a waiting row shows the visitor's last words, not the system's", () => {
  const line = { seq: 1, created_at: "2026-01-01T12:00:00Z" };
  const last_message = { ...line, seq: 2, role: "system" as const, preview: "Nobody is here." };
  const last_visitor_message = { ...line, role: "visitor" as const, preview: "My order is late" };
  const pending = buildConversation({ mode: "pending", last_message, last_visitor_message });
  expect(inbox.messagePreview(pending).text).toBe("My order is late");
  expect(inbox.messagePreview(buildConversation({ last_message, last_visitor_message })).role).toBe(
    "visitor",
  );
  inbox.mergeConversations([pending]);
  inbox.searchText.value = "order is";
  expect(inbox.inboxLists.value.all, "what a row shows can be searched").toHaveLength(1);
  inbox.searchText.value = "";
  expect(inbox.messagePreview(buildConversation({ last_message })).role, "the row says: New chat").toBe(
    undefined,
  );
  const answered = { ...last_message, role: "ai" as const, preview: "**Two** [days](https://a.example)" };
  expect(inbox.messagePreview(buildConversation({ last_message: answered })).text).toBe("Two days");
});
