/** Drafts: what was typed is there again after a reload, for its author and its conversation only. */
import { beforeEach, expect, test, vi } from "vitest";
import { logIn } from "./sessions";

beforeEach(() => {
  localStorage.clear();
  logIn();
});

/** The drafts as a page loads them. Loading them again is a reload. */
const loadPage = async () => {
  vi.resetModules();
  return import("../panel/src/composer/drafts");
};

test("a draft survives a reload", async () => {
  (await loadPage()).setDraft(50, { text: "Half a sentence", image: "/uploads/a.png", note: true });
  expect((await loadPage()).getDraft(50)).toEqual({
    text: "Half a sentence",
    image: "/uploads/a.png",
    note: true,
  });
});

test("a draft belongs to one conversation", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { text: "for fifty" });
  expect(drafts.getDraft(51).text).toBe("");
  expect([drafts.hasDraft(50), drafts.hasDraft(51)]).toEqual([true, false]);
});

test("a draft belongs to one operator of the browser", async () => {
  (await loadPage()).setDraft(50, { text: "by seven" });
  logIn(8);
  expect((await loadPage()).getDraft(50).text).toBe("");
  logIn(7);
  expect((await loadPage()).getDraft(50).text).toBe("by seven");
});

test("changing one field keeps the others", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { text: "text" });
  drafts.setDraft(50, { image: "/uploads/a.png" });
  expect(drafts.getDraft(50)).toEqual({ text: "text", image: "/uploads/a.png", note: false });
});

test("an emptied draft leaves nothing behind", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { text: "text" });
  drafts.setDraft(50, { text: "" });
  expect(Object.keys(localStorage).filter((key) => key.includes("draft"))).toEqual([]);
  expect(drafts.hasDraft(50)).toBe(false);
});

test("spaces alone are no draft", async () => {
  const drafts = await loadPage();
  drafts.setDraft(50, { text: "  \n" });
  expect(drafts.hasDraft(50)).toBe(false);
});

test("a stored draft that cannot be read is an empty one", async () => {
  localStorage.setItem("parley.draft.7.50", "{broken");
  expect((await loadPage()).getDraft(50)).toEqual({ text: "", image: "", note: false });
});

test("a draft stays in memory when the browser stores nothing", async () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  const drafts = await loadPage();
  drafts.setDraft(50, { text: "text" });
  expect(drafts.getDraft(50).text).toBe("text");
});
