/** Checks the widget's catalogues, `widget/src/i18n/<language>.json`: one flat JSON object each, with sorted keys. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const WIDGET = new URL("../widget/", import.meta.url).pathname;
const CATALOGUES = join(WIDGET, "src/i18n");
/** Languages that are always complete; the others show a text in English until somebody has translated it. */
const COMPLETE = ["ar", "de", "es", "fr", "pt", "pt-BR"];
const PLURAL = /_(zero|one|two|few|many|other)$/;
/** A text that is named in the code, also by its key alone. */
const KEY_IN_CODE = /\bstrings\.(\w+)|["'`](\w+)["'`]/g;
/** Forms that may be left out: for millions, and for fractions. */
const OPTIONAL_FORMS = { many: ["es", "fr", "it", "pt", "pt-BR", "cs", "sk", "lt"] };

const baseOf = (key) => key.replace(PLURAL, "");
const placeholdersOf = (text) => [...new Set(text.match(/\{\w+\}/g))].sort().join(" ");
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
const sentencesOf = (text, language) =>
  [...new Intl.Segmenter(language, { granularity: "sentence" }).segment(text)].filter(({ segment }) =>
    /[\p{L}\p{N}]/u.test(segment),
  ).length;
const maxLength = (english) => Math.max(2 * english.length + 24, 40);
const pathOf = (language) => join(CATALOGUES, `${language}.json`);

export const widgetLanguages = () =>
  readdirSync(CATALOGUES)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length));

const read = (language) =>
  Object.assign(Object.create(null), JSON.parse(readFileSync(pathOf(language), "utf8")));

export function sortWidgetTexts() {
  for (const language of widgetLanguages())
    writeFileSync(pathOf(language), `${JSON.stringify(sorted(read(language)), null, 2)}\n`);
}

/** The problems, which fail the check, and the texts that are shown in English. */
export function checkWidgetTexts() {
  const english = read("en");
  const problems = [];
  const missing = [];
  for (const language of widgetLanguages()) {
    const name = `widget ${language}`;
    const [canonical] = Intl.getCanonicalLocales(language);
    if (canonical !== language) problems.push(`${name}: the file's name should be ${canonical}.json`);
    const texts = read(language);
    if (Object.keys(texts).join() !== Object.keys(sorted(texts)).join())
      problems.push(`${name}: not sorted (\`npm run texts widget\` sorts it)`);
    const absent = [...new Set(Object.keys(english).map(baseOf))].filter(
      (base) => !(base in texts || `${base}_other` in texts),
    );
    if (COMPLETE.includes(language)) problems.push(...absent.map((base) => `${name}: ${base} is missing`));
    else if (absent.length > 0) missing.push(`${name}: ${absent.length} in English: ${absent.join(", ")}`);
    problems.push(
      ...Object.entries(texts).flatMap((entry) => checkText(language, entry, english).map(named)),
    );
    problems.push(...checkForms(language, texts).map(named));
    function named(problem) {
      return `${name}: ${problem}`;
    }
  }
  return { problems: [...problems, ...findUnused(english)], missing };
}

function checkText(language, [key, text], english) {
  const original = english[key] ?? english[`${baseOf(key)}_other`];
  if (original === undefined) return [`${key} is not in English`];
  if (typeof text !== "string" || !text.trim()) return [`${key} is empty`];
  const problems = [];
  const expected = placeholdersOf(original);
  // "one new message" and "two new messages" need no digit.
  const spelledOut = /_(zero|one|two)$/.test(key) ? expected.replace(/\{n\} ?/, "").trim() : expected;
  if (![expected, spelledOut].includes(placeholdersOf(text)))
    problems.push(`${key}: the placeholders are "${placeholdersOf(text)}", not "${expected}"`);
  // Fewer may be right: some languages join sentences, or separate them with a space only.
  if (sentencesOf(text, language) > sentencesOf(original, "en"))
    problems.push(`${key}: it has more sentences than the English text`);
  if (text.length > maxLength(original))
    problems.push(`${key}: ${text.length} characters, at most ${maxLength(original)} fit`);
  return problems;
}

/** A text with plural forms has one for each category of the language, and no other. */
function checkForms(language, texts) {
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const bases = new Set(
    Object.keys(texts)
      .filter((key) => PLURAL.test(key))
      .map(baseOf),
  );
  return [...bases].flatMap((base) => [
    ...categories
      .filter((form) => !(`${base}_${form}` in texts || OPTIONAL_FORMS[form]?.includes(language)))
      .map((form) => `${base} lacks the form "${form}"`),
    ...Object.keys(texts)
      .filter((key) => PLURAL.test(key) && baseOf(key) === base)
      .filter((key) => !categories.includes(key.slice(base.length + 1)))
      .map((key) => `${key}: the language has no such form`),
  ]);
}

/** Texts that no code names. */
function findUnused(english) {
  const files = ["src", "app"].flatMap((folder) =>
    readdirSync(join(WIDGET, folder), { recursive: true }).map((name) => join(WIDGET, folder, name)),
  );
  const code = files.filter((path) => /\.tsx?$/.test(path)).map((path) => readFileSync(path, "utf8"));
  const used = new Set(
    code.flatMap((text) => [...text.matchAll(KEY_IN_CODE)].flatMap((match) => match.slice(1))),
  );
  return [...new Set(Object.keys(english).map(baseOf))]
    .filter((base) => !used.has(base))
    .map((base) => `widget en: ${base} is not used`);
}
