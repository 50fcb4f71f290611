/** The widget's texts: which language a visitor reads, and in which form. `npm run texts check` checks the catalogues. */
import { expect, test, vi } from "vitest";
import { format, loadStrings, plural, strings } from "../widget/src/i18n/i18n";
import { findLanguage } from "../widget/src/i18n/language";

const LANGUAGES = ["en", "de", "he", "nb", "pt", "pt-BR", "zh-CN", "zh-TW"];

test.each([
  ["de-AT", "de"],
  ["EN", "en"],
  ["pt-BR", "pt-BR"],
  ["pt-br", "pt-BR"],
  ["pt-AO", "pt"],
  ["zh", "zh-CN"],
  ["zh-SG", "zh-CN"],
  ["zh-Hans-HK", "zh-CN"],
  ["zh-Hant-MO", "zh-TW"],
  ["zh-HK", "zh-TW"],
  ["zh-TW", "zh-TW"],
  ["no", "nb"],
  ["nn-NO", "nb"],
  ["de-CH-1996", "de"],
  ["xx", "en"],
  ["constructor", "en"],
  ["--", "en"],
  ["", "en"],
])("a browser that asks for %s reads %s", (tag, expected) => {
  expect(findLanguage(tag, LANGUAGES)).toBe(expected);
});

test("placeholders are replaced by their values", () => {
  expect(format("{name} is typing…", { name: "Alex {n}" })).toBe("Alex {n} is typing…");
});

test("a text that a language lacks is English, and a number chooses the form", async () => {
  expect(plural("unread", 1)).toBe("1 new message");
  const catalogue = { send: "إرسال", unread_few: "{n} رسائل", unread_other: "{n} رسالة" };
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json(catalogue)));
  await loadStrings("http://parley.test", "ar");
  expect(strings.send).toBe("إرسال");
  expect(strings.cancel).toBe("Cancel");
  expect([plural("unread", 5), plural("unread", 100)]).toEqual(["5 رسائل", "100 رسالة"]);
  await loadStrings("http://parley.test", "en");
  expect([strings.send, plural("unread", 0)]).toEqual(["Send", "0 new messages"]);
});

test("the texts of a part that is loaded later are in the language that is shown, or in English", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ rateThanks: "Danke." })));
  await loadStrings("http://parley.test", "de");
  const { strings: late } = await import("../widget/src/i18n/lateTexts");
  expect([late.rateThanks, late.startChat]).toEqual(["Danke.", "Start chat"]);
  await loadStrings("http://parley.test", "en");
  expect([late.rateThanks, late.startChat]).toEqual(["Thank you for your rating.", "Start chat"]);
});
