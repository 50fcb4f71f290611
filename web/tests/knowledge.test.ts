/** The dialog of a knowledge entry that somebody else changes at the same time. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { FakeServer, failure, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();

test("after a conflict an entry keeps what was typed, shows what it says now, and is saved the next time", async () => {
  vi.resetModules();
  const [{ Knowledge }, { loadPageTexts }] = await Promise.all([
    import("../panel/src/sites/knowledge"),
    import("../panel/src/i18n/i18n"),
  ]);
  await loadPageTexts();
  const server = new FakeServer();
  let entry = { id: 7, question: "Returns?", answer: "14 days.", version: "v1" };
  server.on("GET", "/sites/1/chatbot/knowledge", () => json({ knowledge: [entry], next_cursor: null }));
  server.on("PUT", "/sites/1/chatbot/knowledge/7", ({ body }) => {
    if ((body as typeof entry).version === "v2") return json({ entry });
    entry = { ...entry, answer: "20 days.", version: "v2" };
    return failure(409, "entry_changed");
  });
  await act(async () => render(h(Knowledge, { siteId: 1 }), view.root));
  await settle();
  view.root.querySelector<HTMLButtonElement>("li button")?.click();
  const save = async () => {
    view.root
      .querySelector("dialog form")
      ?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await settle();
  };
  const answer = view.root.querySelector("dialog textarea") as HTMLTextAreaElement;
  answer.value = "30 days.";
  answer.dispatchEvent(new InputEvent("input", { bubbles: true }));
  await save();
  expect(view.root.querySelector("dialog [role=status]")?.textContent).toContain("20 days.");
  expect(answer.value).toBe("30 days.");
  await save();
  const bodies = server.to("PUT", "/sites/1/chatbot/knowledge/7").map(({ body }) => body);
  expect(bodies).toMatchObject([{ version: "v1" }, { version: "v2", answer: "30 days." }]);
  expect(view.root.querySelector("dialog")).toBeNull();
});
