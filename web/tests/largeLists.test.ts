/** Lists of thousands of rows put only those on the screen into the page. */
import { h, render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { OnlineVisitor } from "../shared/apiTypes";
import { buildConversation } from "./builders";
import { logIn } from "./sessions";

const ROWS = 2000;
const MAX_RENDERED = 40;
let root: HTMLElement;

beforeEach(() => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

test("the inbox with 2000 chats", async () => {
  const [{ Inbox }, inbox, { sites }] = await Promise.all([
    import("../panel/src/inbox/inbox"),
    import("../panel/src/inbox/conversations"),
    import("../panel/src/sites/sites"),
  ]);
  sites.value = [{ id: 1, name: "Shop", permissions: ["can_chat"] } as never];
  inbox.mergeConversations(
    Array.from({ length: ROWS }, (_, id) => buildConversation({ id, mode: "pending", operator: null })),
  );
  inbox.conversationsLoaded.value = true;
  render(h(Inbox, {}), root);
  expect(root.querySelector(".count")?.textContent).toBe("2,000");
  const rendered = root.querySelectorAll(".conversation-row").length;
  expect(rendered).toBeGreaterThan(0);
  expect(rendered).toBeLessThan(MAX_RENDERED);
});

test("the visitors page with 2000 visitors", async () => {
  const [{ VisitorsPage }, { onlineVisitors }] = await Promise.all([
    import("../panel/src/visitors/visitorsPage"),
    import("../panel/src/visitors/presence"),
  ]);
  const visitors = Array.from({ length: ROWS }, (_, number): [string, OnlineVisitor] => [
    `1/v${number}`,
    {
      session_id: `v${number}`,
      site_id: 1,
      page: null,
      title: null,
      referrer: null,
      language: null,
      since: "2026-01-01T12:00:00Z",
      conversation_id: null,
    },
  ]);
  onlineVisitors.value = new Map(visitors);
  render(h(VisitorsPage, {}), root);
  expect(root.textContent).toContain("2,000 visitors online");
  const rendered = root.querySelectorAll(".visitor-row").length;
  expect(rendered).toBeGreaterThan(0);
  expect(rendered).toBeLessThan(MAX_RENDERED);
});
