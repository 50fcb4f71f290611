import { afterEach, describe, expect, it, vi } from "vitest";
import {
  clearSelection,
  isSelected,
  MAX_SELECTED,
  selectAll,
  selection,
  selectRange,
  toggleSelected,
} from "../panel/src/bulk/selection";
import { snoozeChoices } from "../panel/src/conversation/snooze";
import {
  activeTab,
  conversations,
  inboxFilter,
  inboxLists,
  NO_FILTER,
  passes,
} from "../panel/src/inbox/conversations";
import { applyView, changeFilter, clearFilter, currentFilter } from "../panel/src/views/views";
import { buildConversation } from "./builders";

function showAll(...list: Parameters<typeof buildConversation>[0][]): void {
  conversations.value = new Map(
    list.map((fields, index) => [index + 1, buildConversation({ id: index + 1, ...fields })]),
  );
  activeTab.value = "all";
}

afterEach(() => {
  vi.useRealTimers();
  conversations.value = new Map();
  clearSelection();
  clearFilter();
});

describe("filters", () => {
  it("pass what the server would list", () => {
    const german = buildConversation({ labels: [3, 5], rating: 2 });
    german.visitor.language = "de-AT";
    expect(passes(german, { ...NO_FILTER, language: "de", label_id: 5, rating: 2 })).toBe(true);
    expect(passes(german, { ...NO_FILTER, language: "en" })).toBe(false);
    expect(passes(german, { ...NO_FILTER, label_id: 4 })).toBe(false);
    expect(passes(german, { ...NO_FILTER, operator_id: 7, modes: ["operator"] })).toBe(true);
    expect(passes(german, { ...NO_FILTER, waiting: 60 })).toBe(false);
    const waiting = buildConversation({ waiting_since: new Date(Date.now() - 90_000).toISOString() });
    expect(passes(waiting, { ...NO_FILTER, waiting: 60 })).toBe(true);
    expect(passes(waiting, { ...NO_FILTER, waiting: 3600 })).toBe(false);
  });

  it("are what a saved view holds", () => {
    const filter = {
      status: "pending,active",
      site_id: 4,
      label_id: 5,
      team_id: null,
      operator_id: null,
      language: null,
      rating: null,
      waiting: 300,
      search: "jane",
    };
    const at = "2026-01-01T12:00:00Z";
    const view = {
      id: 9,
      name: "Late",
      scope: "mine" as const,
      site_id: null,
      operator_id: 7,
      created_at: at,
      updated_at: at,
    };
    applyView({ ...view, filter });
    expect(currentFilter()).toEqual(filter);
    expect(activeTab.value).toBe("all");
    changeFilter({ label_id: null });
    expect(inboxFilter.value.label_id).toBeNull();
    expect(inboxFilter.value.waiting).toBe(300);
    applyView({ ...view, filter: { ...filter, status: "snoozed" } });
    expect(activeTab.value).toBe("snoozed");
    expect(currentFilter().status).toBe("snoozed");
  });
});

it("snoozed chats are in a list of their own, the first to wake first", () => {
  showAll({ snoozed_until: "2026-02-02T09:00:00Z" }, {}, { snoozed_until: "2026-02-01T09:00:00Z" });
  expect(inboxLists.value.all.map((one) => one.id)).toEqual([2]);
  expect(inboxLists.value.waiting).toEqual([]);
  expect(inboxLists.value.snoozed.map((one) => one.id)).toEqual([3, 1]);
});

describe("the selection", () => {
  it("extends from the last chat to the one that is clicked with Shift", () => {
    showAll({}, {}, {}, {});
    toggleSelected(2);
    selectRange(4);
    expect(selection.value.map((one) => one.id)).toEqual([2, 3, 4]);
    toggleSelected(3);
    expect(isSelected(3)).toBe(false);
    clearSelection();
    expect(selection.value).toEqual([]);
  });

  it("has only chats that are still in the list, and no more than the server accepts", () => {
    showAll(...Array.from({ length: MAX_SELECTED + 10 }, () => ({})));
    selectAll();
    expect(selection.value.length).toBe(MAX_SELECTED);
    conversations.value = new Map([...conversations.value].slice(0, 5));
    expect(selection.value.length).toBe(5);
  });
});

it("a snooze ends on the morning of the next day or the next Monday", () => {
  const friday = new Date(2026, 0, 30, 15, 20);
  const [later, tomorrow, nextWeek] = snoozeChoices(friday).map((choice) => choice.until);
  expect(later).toEqual(new Date(2026, 0, 30, 18, 0));
  expect(tomorrow).toEqual(new Date(2026, 0, 31, 9, 0));
  expect(nextWeek).toEqual(new Date(2026, 1, 2, 9, 0));
  const monday = snoozeChoices(new Date(2026, 1, 2, 8, 0)).at(-1);
  expect(monday?.until).toEqual(new Date(2026, 1, 9, 9, 0));
});
