/** The panel's texts: language, plural forms, values, direction, dates and numbers. */
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { errorMessage } from "../panel/src/api/client";
import { formatDuration, formatNumber, formatRelative } from "../panel/src/i18n/formats";
import { direction, language, loadPageTexts, showLanguage, t, tx } from "../panel/src/i18n/i18n";
import { findLocale, findPanelLanguage } from "../panel/src/i18n/languages";
import { ApiError } from "../shared/http";

const now = Date.parse("2026-05-03T12:00:00Z");

beforeAll(() => loadPageTexts());
beforeEach(() => showLanguage("en"));
afterEach(() => showLanguage("en"));

test("the count chooses the plural form of the language", async () => {
  expect([0, 1, 2].map((count) => t("ratings.ofFive", { count }))).toEqual([
    "of 5 from 0 ratings",
    "of 5 from 1 rating",
    "of 5 from 2 ratings",
  ]);
  await showLanguage("ar");
  const forms = [0, 1, 2, 3, 11, 100].map((count) => t("ratings.ofFive", { count }));
  expect(new Set(forms).size).toBe(6);
  expect(forms[4]).toContain("11");
});

test("values are filled in, and a value is not searched for placeholders", () => {
  expect(t("ratings.averageOverTime", { points: "{{points}} $&" })).toBe("Average over time. {{points}} $&");
  expect(t("ratings.ofFive", { count: 12_000 })).toBe("of 5 from 12,000 ratings");
});

test("an element can be a value", () => {
  expect(tx("ratings.averageOverTime", { points: 5 })).toEqual(["Average over time. ", "5", ""]);
});

test("a name in another direction does not turn the text around it", async () => {
  expect(t("ratings.averageOverTime", { points: "דנה" })).toBe("Average over time. \u2068דנה\u2069");
  await showLanguage("ar");
  expect(t("ratings.averageOverTime", { points: "Mia (2)" })).toContain("\u2068Mia (2)\u2069");
});

test("the document has the language and its direction", async () => {
  await showLanguage("ar");
  expect([document.documentElement.lang, document.documentElement.dir]).toEqual(["ar", "rtl"]);
  await showLanguage("de");
  expect([document.documentElement.lang, document.documentElement.dir]).toEqual(["de", "ltr"]);
  expect([language.value, direction.value]).toEqual(["de", "ltr"]);
});

test("of two languages that load at the same time the last one is shown", async () => {
  await Promise.all([showLanguage("fr"), showLanguage("ja")]);
  expect(t("ratings.title")).toBe("評価");
});

test("numbers and times are written as in the language", async () => {
  vi.setSystemTime(now);
  expect(formatDuration(7_800_000)).toBe("2 h 10 min");
  expect(formatRelative(now - 180_000, now)).toBe("3 minutes ago");
  await showLanguage("de");
  expect(formatNumber(1234.5)).toBe("1.234,5");
  expect(formatRelative(now - 180_000, now)).toBe("vor 3 Minuten");
  expect(formatDuration(7_800_000)).toBe("2 Std. 10 min");
  await showLanguage("ar");
  expect(formatNumber(45)).toBe("45");
  vi.useRealTimers();
});

test("an error is described in the operator's language, or as the server says it", async () => {
  const held = new ApiError(409, "conversation_held", "Sam has this conversation.");
  const unknown = new ApiError(409, "new_code", "The moon is in the way.");
  const refused = new ApiError(422, "invalid", "Some fields are invalid.", {
    errors: { name: "String should have at most 60 characters", zone: "is unknown here" },
  });
  expect(errorMessage(held)).toBe("Sam has this conversation.");
  await showLanguage("de");
  expect(errorMessage(held)).toBe("Ein anderer Mitarbeiter hat diesen Chat übernommen.");
  expect(errorMessage(unknown)).toBe("The moon is in the way.");
  expect(errorMessage(refused)).toBe("name: Höchstens 60 Zeichen · zone: is unknown here");
  expect(errorMessage(new Error("x"))).toBe("Etwas ist schiefgegangen. Bitte versuchen Sie es erneut.");
});

test.each([
  [["de-AT", "en"], "de", "de-AT"],
  [["xx", "pt-BR"], "pt", "pt-BR"],
  [["xx"], "en", "en"],
  [["ar-EG"], "ar", "ar-u-nu-latn"],
  [[], "en", "en"],
])("a browser that asks for %s gets %s", (tags, expected, locale) => {
  const found = findPanelLanguage(tags);
  expect([found, findLocale(found, tags)]).toEqual([expected, locale]);
});
