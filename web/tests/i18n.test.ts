/** The widget's texts: every language has all of them, with the same placeholders. */
import { expect, test } from "vitest";
import { CATALOGUES } from "../widget/src/i18n/catalogues";
import { en } from "../widget/src/i18n/en";
import { format } from "../widget/src/i18n/i18n";
import { findLanguage, LANGUAGES } from "../widget/src/i18n/language";

const placeholders = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test.each(Object.entries(CATALOGUES))("%s has every text of English", (_language, catalogue) => {
  expect(Object.keys(catalogue).sort()).toEqual(Object.keys(en).sort());
  for (const [key, text] of Object.entries(catalogue)) {
    expect(text.trim(), key).not.toBe("");
    expect(placeholders(text), key).toEqual(placeholders(en[key as keyof typeof en]));
  }
});

test("every language can be chosen", () => {
  expect(Object.keys(CATALOGUES)).toEqual(LANGUAGES);
});

test.each([
  ["de-AT", "de"],
  ["pt-BR", "pt"],
  ["EN", "en"],
  ["xx", "en"],
  ["constructor", "en"],
  ["", "en"],
])("a browser that asks for %s reads %s", (tag, expected) => {
  expect(findLanguage(tag)).toBe(expected);
});

test("placeholders are replaced by their values", () => {
  expect(format("{name} is typing…", { name: "Alex {n}" })).toBe("Alex {n} is typing…");
});
