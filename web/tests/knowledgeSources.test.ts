/** What a knowledge source says of itself, in the operator's language. */
import { afterEach, beforeAll, expect, test } from "vitest";
import { loadPageTexts, showLanguage } from "../panel/src/i18n/i18n";
import { describeCounts, describeFault, describeSync } from "../panel/src/knowledgeSources/sources";
import type { KnowledgeSource } from "../shared/apiTypes";

const SOURCE: KnowledgeSource = {
  id: 1,
  kind: "crawl",
  name: "Help",
  url: "https://shop.test/",
  max_depth: 3,
  max_pages: 200,
  enabled: true,
  schedule: "daily",
  review: false,
  question_column: null,
  answer_column: null,
  created_at: "2026-01-01T00:00:00Z",
  sync: {
    state: "running",
    done: 12,
    total: 40,
    started_at: "2026-01-01T00:00:00Z",
    finished_at: null,
    next_at: null,
    error: null,
  },
  documents: { ready: 10, failed: 2, skipped: 0, pending: 0, passages: 31 },
};

beforeAll(() => loadPageTexts());
afterEach(() => showLanguage("en"));

test("a source shows its progress, and its documents by status without what there is none of", () => {
  expect(describeSync(SOURCE)).toBe("Reading: 12 of 40");
  expect(describeSync({ ...SOURCE, sync: { ...SOURCE.sync, state: "waiting" } })).toBe("Waits to be read");
  expect(describeSync({ ...SOURCE, sync: { ...SOURCE.sync, state: "idle" } })).toBe("");
  expect(describeCounts(SOURCE)).toEqual(["Ready: 10", "Failed: 2"]);
});

test("an error is translated by its code, and shown as the server says it in English or without a text", async () => {
  const missing = { code: "column_missing", message: "The CSV file has no column “Frage”." };
  expect(describeFault(missing)).toBe(missing.message);
  await showLanguage("de");
  expect(describeFault(missing)).toBe("Eine benötigte Spalte fehlt.");
  expect(describeFault({ code: "of_a_later_version", message: "Something new." })).toBe("Something new.");
});
