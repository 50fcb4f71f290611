/** The report of a wrong answer, where somebody else changes its entry at the same time. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { buildMessage } from "./builders";
import { FakeServer, failure, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();

const ENTRY = {
  kind: "knowledge",
  source_id: 7,
  state: "current",
  title: "Returns?",
  text: "14 days.",
  url: null,
  version: "v1",
};

/** The dialog of an answer that cites `ENTRY`, whose first change is refused; then the passages are `changed`. */
async function openDialog(code: string, changed: object) {
  vi.resetModules();
  const [{ WrongAnswer }, { loadPageTexts }, { sites }] = await Promise.all([
    import("../panel/src/corrections/wrongAnswer"),
    import("../panel/src/i18n/i18n"),
    import("../panel/src/sites/sites"),
  ]);
  await loadPageTexts();
  sites.value = [{ id: 1, name: "Shop", permissions: ["can_chat", "can_manage"] } as never];
  const server = new FakeServer();
  let passages: object[] = [ENTRY];
  server.on("GET", "/sites/1/cited-passages", () =>
    json({ question: "Returns?", answer: "14 days.", passages }),
  );
  server.on("POST", "/sites/1/corrections", () => json({ correction: { id: 70 } }, 201));
  server.on("GET", "/sites/1/corrections/70/conversations", () =>
    json({ conversations: [], next_cursor: null }),
  );
  server.on("POST", "/sites/1/corrections/70/apply", () => {
    if (server.to("POST", "/sites/1/corrections/70/apply").length > 1)
      return json({ correction: { id: 70 } });
    passages = [changed];
    return failure(code === "not_found" ? 404 : 409, code);
  });
  const message = buildMessage(2, { role: "ai" });
  await act(async () => render(h(WrongAnswer, { message, siteId: 1, onClose: () => {} }), view.root));
  await settle();
  type("input", "Old.");
  type("textarea", "30 days.");
  await save();
  return server;
}

function type(selector: string, text: string): void {
  const field = document.querySelector(`dialog ${selector}`) as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

async function save(): Promise<void> {
  document
    .querySelector("dialog form")
    ?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await settle();
}

const field = (selector: string) => (document.querySelector(`dialog ${selector}`) as HTMLInputElement).value;
const bodies = (server: FakeServer, path: string) => server.to("POST", path).map(({ body }) => body);

test("after a conflict the new text is shown, what was typed stays, and the report is not sent again", async () => {
  const server = await openDialog("entry_changed", {
    ...ENTRY,
    state: "changed",
    text: "20 days.",
    version: "v2",
  });
  expect(document.querySelector(".cited-passages")?.textContent).toContain("20 days.");
  expect(document.querySelector("dialog [role=status]")?.textContent).toContain("Your report is saved");
  expect([field("input"), field("textarea"), field("select")]).toEqual(["Old.", "30 days.", "7"]);
  await save();
  expect(server.to("POST", "/sites/1/corrections")).toHaveLength(1);
  expect(bodies(server, "/sites/1/corrections/70/apply")).toMatchObject([
    { entry_id: 7, entry_version: "v1" },
    { entry_id: 7, entry_version: "v2", answer: "30 days." },
  ]);
  expect(document.querySelector("dialog form")).toBeNull();
});

test("another text after a conflict is reported too, and an entry that is gone becomes a new one", async () => {
  const server = await openDialog("not_found", {
    ...ENTRY,
    state: "gone",
    title: "",
    text: "",
    version: null,
  });
  expect(field("select")).toBe("new");
  type("textarea", "60 days.");
  await save();
  expect(bodies(server, "/sites/1/corrections")).toMatchObject([
    { right_answer: "30 days.", note: "Old." },
    { right_answer: "60 days.", note: "Old." },
  ]);
  expect(bodies(server, "/sites/1/corrections/70/apply")[1]).toMatchObject({
    entry_id: null,
    answer: "60 days.",
  });
});
