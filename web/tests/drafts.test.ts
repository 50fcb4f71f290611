/** Drafts: what was typed is there again after a reload, for its author, its conversation and its kind only. */
import { beforeEach, expect, test, vi } from "vitest";
import { logIn } from "./sessions";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  logIn();
});

/** The drafts as a page loads them. Loading them again is a reload. */
const loadPage = async () => {
  vi.resetModules();
  return import("../panel/src/composer/drafts");
};

test("a draft survives a reload", async () => {
  const draft = { reply: "Half a sentence", image: "/uploads/a.png", note: "Half a note" };
  (await loadPage()).setDraft(50, draft);
  expect((await loadPage()).getDraft(50)).toEqual(draft);
});

test("a draft belongs to one conversation", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { reply: "for fifty" });
  expect(drafts.getDraft(51).reply).toBe("");
  expect([drafts.hasDraft(50), drafts.hasDraft(51)]).toEqual([true, false]);
});

test("a draft belongs to one operator of the browser", async () => {
  (await loadPage()).setDraft(50, { reply: "by seven" });
  logIn(8);
  expect((await loadPage()).getDraft(50).reply).toBe("");
  logIn(7);
  expect((await loadPage()).getDraft(50).reply).toBe("by seven");
});

test("changing one field keeps the others", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { reply: "text" });
  drafts.setDraft(50, { image: "/uploads/a.png" });
  expect(drafts.getDraft(50)).toEqual({ reply: "text", image: "/uploads/a.png", note: "" });
});

test("an emptied draft leaves nothing behind", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { note: "text" });
  drafts.setDraft(50, { note: "" });
  expect(Object.keys(localStorage).filter((key) => key.includes("draft"))).toEqual([]);
  expect(drafts.hasDraft(50)).toBe(false);
});

test("spaces alone are no draft", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { reply: "  \n" });
  expect(drafts.hasDraft(50)).toBe(false);
});

test("a stored draft that cannot be read is an empty one", async () => {
  localStorage.setItem("parley.draft.7.50", "{broken");
  expect((await loadPage()).getDraft(50)).toEqual({ reply: "", image: "", note: "" });
});

test("a draft of an earlier version keeps its kind", async () => {
  localStorage.setItem("parley.draft.7.50", JSON.stringify({ text: "internal", image: "", note: true }));
  localStorage.setItem("parley.draft.7.51", JSON.stringify({ text: "Hello", image: "/a.png", note: false }));
  const drafts = await loadPage();
  expect(drafts.getDraft(50)).toEqual({ reply: "", image: "", note: "internal" });
  expect(drafts.getDraft(51)).toEqual({ reply: "Hello", image: "/a.png", note: "" });
});

test("a draft stays in memory when the browser stores nothing", async () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  const drafts = await loadPage();
  drafts.setDraft(50, { reply: "text" });
  expect(drafts.getDraft(50).reply).toBe("text");
});

test("a draft that another tab has changed or sent is the same here", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { reply: "text" });
  const key = "parley.draft.7.50";
  localStorage.setItem(key, JSON.stringify({ reply: "more text", image: "", note: "" }));
  dispatchEvent(new StorageEvent("storage", { key }));
  expect(drafts.getDraft(50).reply).toBe("more text");
  localStorage.removeItem(key);
  dispatchEvent(new StorageEvent("storage", { key }));
  expect(drafts.hasDraft(50)).toBe(false);
});

test("reply or note belongs to the conversation and survives a reload of the tab", async () => {
  const drafts = await loadPage();
  drafts.setKind(50, "note");
  drafts.setKind(51, "reply");
  const reloaded = await loadPage();
  expect([reloaded.getKind(50), reloaded.getKind(51), reloaded.getKind(52)]).toEqual([
    "note",
    "reply",
    undefined,
  ]);
});
