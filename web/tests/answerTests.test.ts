/** Answer tests in the panel: what a run asked of fallbacks, and what goes live without a run. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { expect, test, vi } from "vitest";
import { FakeServer, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();

const ANSWER = { outcome: "answered", sources: [], seconds: 1, tokens: 42, error: null, reasons: [] };
const TOTALS = { right: 1, wrong: 1, unknown: 0, tokens: 84, seconds: 2 };
const RUN = {
  id: 5,
  state: "done",
  passed: false,
  is_live: true,
  engine: "openai",
  model: "first",
  instructions: "",
  pending_changes: false,
  tested_fallbacks: [{ id: "f1", engine: "openai", model: "spare" }],
  total: 2,
  done: 2,
  created_at: "2026-01-01T00:00:00Z",
  created_by: { id: 7, name: "Alex" },
  started_at: "2026-01-01T00:00:00Z",
  finished_at: "2026-01-01T00:00:10Z",
  error: null,
  summary: { candidate: TOTALS, live: null, replays: 0, changed: 0 },
};

async function loadPanel() {
  vi.resetModules();
  const [{ RunDialog }, { GateNotice }, { loadPageTexts }] = await Promise.all([
    import("../panel/src/answerTests/runDialog"),
    import("../panel/src/answerTests/gateNotice"),
    import("../panel/src/i18n/i18n"),
  ]);
  await loadPageTexts();
  return { RunDialog, GateNotice };
}

const result = (engine: string, verdict: string, text: string) => ({
  test_id: 1,
  question: "Open?",
  language: null,
  expected: "answer",
  must_say: [],
  must_not_say: [],
  must_cite: [],
  tested_engine: engine,
  candidate: { ...ANSWER, text, engine, verdict },
  live: null,
  changed: null,
});

test("a run shows which answers are those of a fallback by itself", async () => {
  const { RunDialog } = await loadPanel();
  const server = new FakeServer();
  server.on("GET", "/sites/1/chatbot/tests/runs/5", () => json({ run: RUN }));
  const results = [result("primary", "right", "Until six."), result("f1", "wrong", "Until nine.")];
  server.on("GET", "/sites/1/chatbot/tests/runs/5/results", () => json({ results, next_cursor: null }));
  await act(async () => render(h(RunDialog, { siteId: 1, run: RUN as never, onClose: () => {} }), view.root));
  // The results are asked for once the run is shown.
  await vi.waitFor(() => expect(view.root.querySelectorAll(".test-answer")).toHaveLength(2));
  const shown = [...view.root.querySelectorAll(".test-answer")].map((answer) => answer.textContent);
  expect(shown).toEqual(["Fallback by itself: spare WrongUntil nine.", "Tested settings RightUntil six."]);
});

test("a run that is older than the questions and answers is not applied but repeated", async () => {
  const { RunDialog } = await loadPanel();
  const server = new FakeServer();
  const passed = { ...RUN, passed: true, is_live: false, tested_fallbacks: [] };
  let run = { ...passed, entries_changed: false };
  server.on("GET", "/sites/1/chatbot/tests/runs/5", () => json({ run }));
  server.on("GET", "/sites/1/chatbot/tests/runs/5/results", () => json({ results: [], next_cursor: null }));
  const onApply = async () => {
    run = { ...passed, entries_changed: true };
  };
  await act(async () =>
    render(h(RunDialog, { siteId: 1, run: RUN as never, onApply, onClose: () => {} }), view.root),
  );
  await settle();
  const buttons = () => [...view.root.querySelectorAll<HTMLButtonElement>(".dialog-actions button")];
  const press = async (name: string) => {
    buttons()
      .find((button) => button.textContent === name)
      ?.click();
    await settle();
  };
  await press("Apply these settings");
  expect(view.root.querySelector(".notice")?.textContent).toContain("have changed since this run");
  expect(buttons().map((button) => button.textContent)).toEqual(["Close", "Run tests"]);
  await press("Run tests");
  expect(view.root.textContent).toContain("The tests run with the settings that are live.");
});

test.each([true, false])(
  "where tests are demanded (%s), the knowledge says what they do not stop",
  async (on) => {
    const { GateNotice } = await loadPanel();
    const server = new FakeServer();
    server.on("GET", "/sites/1/chatbot", () => json({ chatbot: { require_answer_tests: on } }));
    await act(async () => render(h(GateNotice, { siteId: 1 }), view.root));
    await settle();
    expect(view.root.textContent?.includes("live at once: run the tests after you change them")).toBe(on);
    expect(view.root.querySelectorAll("button")).toHaveLength(on ? 1 : 0);
  },
);
