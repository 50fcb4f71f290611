/** Another operator may log in on the same page: nothing of the one before is left. */
import { beforeEach, expect, test, vi } from "vitest";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { installTabs, uninstallTabs } from "./fakeTabs";
import { logIn } from "./sessions";

beforeEach(() => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  installTabs({ locks: false, channel: false });
  return uninstallTabs;
});

test("after a logout nothing of the operator is left", async () => {
  const server = new FakeServer();
  server.on("GET", "/sites/1/copilot", () => json({ available: true }));
  const [{ startSession }, inbox, views, replies, copilot, presence, mentions, bulk] = await Promise.all([
    import("../panel/src/session/startSession"),
    import("../panel/src/inbox/conversations"),
    import("../panel/src/views/views"),
    import("../panel/src/cannedReplies/store"),
    import("../panel/src/copilot/copilot"),
    import("../panel/src/visitors/presence"),
    import("../panel/src/mentions/mentions"),
    import("../panel/src/bulk/selection"),
  ]);
  const stop = startSession();
  inbox.mergeConversations([buildConversation({ mode: "pending" })]);
  inbox.activeTab.value = "all";
  bulk.toggleSelected(50);
  inbox.siteFilter.value = 1;
  inbox.searchText.value = "order 17";
  views.changeFilter({ label_id: 3 });
  replies.cannedReplies.value = [{ id: 1 } as never];
  copilot.isCopilotAvailable(1);
  await copilot.runCopilot(50, "summary", "");
  await settle();
  presence.onlineBySite.value = new Map([[1, true]]);
  mentions.mentions.value = [{ note: { id: 1 } } as never];
  const read = () => ({
    conversations: inbox.conversations.value.size,
    selected: bulk.isSelected(50),
    site: inbox.siteFilter.value,
    search: inbox.searchText.value,
    isFiltered: inbox.isFiltered.value,
    replies: replies.cannedReplies.value.length,
    copilot: copilot.getCopilotText(50) !== undefined,
    online: presence.onlineBySite.value.size,
    mentions: mentions.mentions.value.length,
  });
  expect(Object.values(read()).every(Boolean)).toBe(true);
  stop();
  expect(read()).toEqual({
    conversations: 0,
    selected: false,
    site: undefined,
    search: "",
    isFiltered: false,
    replies: 0,
    copilot: false,
    online: 0,
    mentions: 0,
  });
});
