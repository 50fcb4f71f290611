/**
 * The texts of panel and widget: node scripts/texts.mjs check | reviewed FEATURE[.NAME] [LANGUAGE…] | widget
 *
 * `widget` sorts and checks the widget's catalogues only (widgetTexts.mjs). The rest is about the panel's texts.
 * `check` names texts that are missing, superfluous, unused, stale or needed before they are loaded, placeholders and
 * plural forms that differ, and texts that are written in the code.
 * `reviewed` marks the translations of a feature, or of one text, as fitting their English text.
 * It also sorts the files and writes i18n/english.ts and i18n/englishPages.ts.
 *
 * The files are in the format of i18next (JSON v4): `{{name}}` for a value, `name_one` and `name_other` for plural forms.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFirstLoad } from "./firstLoad.mjs";
import { findLiteralTexts } from "./literalTexts.mjs";
import { checkWidgetTexts, sortWidgetTexts } from "./widgetTexts.mjs";

const PANEL = new URL("../panel/src/", import.meta.url).pathname;
const TEXTS = join(PANEL, "i18n");
const PAGES = "pages";
const LINE_WIDTH = 110;
const SOURCE = "en";
const LANGUAGES = ["ar", "de", "es", "fr", "ja", "pt"];
const PLURAL = /_(zero|one|two|few|many|other)$/;
/** A literal that looks like a key, and the beginning of a template that is completed to one. */
const KEY_IN_CODE = /["'`]([a-z][A-Za-z]*\.[A-Za-z][\w-]*)(["'`]|\$\{)|["'`]([a-z][A-Za-z]*\.)\$\{/g;

/** Without a prototype: a text may be called "valueOf". */
const read = (path) =>
  Object.assign(Object.create(null), existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {});
/** In `pages/` are the texts of what is not in the first load. */
const pathOf = (language, feature) => {
  const inPages = existsSync(join(TEXTS, SOURCE, PAGES, `${feature}.json`));
  return join(TEXTS, language, inPages ? PAGES : "", `${feature}.json`);
};
const textsOf = (language, feature) => read(pathOf(language, feature));
const reviewedPath = (feature) => join(TEXTS, "reviewed", `${feature}.json`);
const featuresIn = (...path) =>
  readdirSync(join(TEXTS, ...path))
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort((a, b) => a.localeCompare(b, "en"));
const featuresOf = (language) => [...featuresIn(language), ...featuresIn(language, PAGES)];
const baseOf = (name) => name.replace(PLURAL, "");
const placeholdersOf = (text) => [...new Set(text.match(/\{\{\w+\}\}/g))].sort().join(" ");
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The forms of a text: one without a category, or one for each plural category. */
function formsOf(texts, base) {
  const forms = {};
  for (const [name, text] of Object.entries(texts)) {
    if (baseOf(name) === base) forms[name.match(PLURAL)?.[1] ?? ""] = text;
  }
  return forms;
}

/** Changes with every change of the English text, in any of its plural forms. */
const hashOf = (forms) => createHash("sha256").update(JSON.stringify(forms)).digest("hex").slice(0, 8);

/** The plural categories that a language needs. "many" of es, fr and pt is for millions: it may be left out. */
function categoriesOf(language) {
  const all = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  return all.filter((category) => category !== "many" || !["es", "fr", "pt"].includes(language));
}

function checkText(language, key, forms, english) {
  const problems = [];
  if (Object.keys(forms).length === 0) return [`${language}: ${key} is missing`];
  const isPlural = !("" in english);
  const needed = isPlural ? categoriesOf(language) : [""];
  for (const category of needed) {
    if (!(category in forms)) problems.push(`${language}: ${key} lacks the form "${category}"`);
  }
  for (const [category, text] of Object.entries(forms)) {
    if (isPlural === (category === ""))
      problems.push(`${language}: ${key}: a plural form in one language only`);
    if (!text.trim()) problems.push(`${language}: ${key} is empty`);
    // "one chat" or "two chats" need no digit.
    const allowed = [placeholdersOf(english[""] ?? english.other)];
    if (["zero", "one", "two"].includes(category))
      allowed.push(allowed[0].replace(/\{\{count\}\} ?/, "").trim());
    if (!allowed.includes(placeholdersOf(text)))
      problems.push(
        `${language}: ${key}: the placeholders are "${placeholdersOf(text)}", not "${allowed[0]}"`,
      );
  }
  return problems;
}

function checkFeature(feature) {
  const english = textsOf(SOURCE, feature);
  const reviewed = read(reviewedPath(feature));
  const bases = new Set(Object.keys(english).map(baseOf));
  const problems = [];
  for (const language of [SOURCE, ...LANGUAGES]) {
    const texts = textsOf(language, feature);
    if (Object.keys(texts).join() !== Object.keys(sorted(texts)).join())
      problems.push(
        `${language}: ${feature}.json is not sorted (\`npm run texts reviewed ${feature}\` sorts it)`,
      );
    for (const name of Object.keys(texts)) {
      if (!bases.has(baseOf(name))) problems.push(`${language}: ${feature}.${name} is not in English`);
    }
    for (const base of bases) {
      problems.push(
        ...checkText(language, `${feature}.${base}`, formsOf(texts, base), formsOf(english, base)),
      );
    }
  }
  for (const base of bases) {
    const [hash, ...languages] = (reviewed[base] ?? "").split(" ");
    const isCurrent = hash === hashOf(formsOf(english, base));
    const stale = LANGUAGES.filter((language) => !isCurrent || !languages.includes(language));
    if (stale.length > 0)
      problems.push(
        `${stale.join(" ")}: ${feature}.${base} is stale: its English text was changed or is new`,
      );
  }
  for (const base of Object.keys(reviewed)) {
    if (!bases.has(base)) problems.push(`reviewed/${feature}.json: ${base} is not in English`);
  }
  return problems;
}

function sourceFiles() {
  return readdirSync(PANEL, { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join(PANEL, name), "utf8"));
}

/** Texts that no code names. */
function findUnused(features) {
  const keys = new Set();
  const prefixes = new Set();
  for (const code of sourceFiles()) {
    for (const [, key, end, feature] of code.matchAll(KEY_IN_CODE)) {
      if (feature) prefixes.add(feature);
      else if (end === "${") prefixes.add(key);
      else keys.add(key);
    }
  }
  const isUsed = (key) => keys.has(key) || [...prefixes].some((prefix) => key.startsWith(prefix));
  return features.flatMap((feature) =>
    [...new Set(Object.keys(textsOf(SOURCE, feature)).map(baseOf))]
      .filter((base) => !isUsed(`${feature}.${base}`))
      .map((base) => `${feature}.${base} is not used`),
  );
}

/** Texts of `pages/` that code of the first load names: they are not there yet. */
function findEarly() {
  const pages = featuresIn(SOURCE, PAGES);
  return [...findFirstLoad(join(PANEL, "main.tsx"))].flatMap((path) =>
    [...readFileSync(path, "utf8").matchAll(KEY_IN_CODE)]
      .map(([, key, , prefix]) => key ?? prefix)
      .filter((key) => pages.includes(key.split(".")[0]))
      .map((key) => `${path.slice(PANEL.length)} is in the first load, and ${key} in ${PAGES}/`),
  );
}

function checkPanel() {
  const features = featuresOf(SOURCE);
  return [
    ...Object.entries(englishModules())
      .filter(([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text)
      .map(
        ([path]) => `${path} does not name the English files (\`npm run texts reviewed FEATURE\` writes it)`,
      ),
    ...LANGUAGES.flatMap((language) =>
      featuresIn(language)
        .filter((feature) => features.includes(feature) && pathOf(language, feature).includes(`/${PAGES}/`))
        .map((feature) => `${language}/${feature}.json belongs into ${language}/${PAGES}/, as in English`),
    ),
    ...LANGUAGES.flatMap((language) =>
      featuresOf(language)
        .filter((feature) => !features.includes(feature))
        .map((feature) => `${language}/${feature}.json is not in English`),
    ),
    ...features.flatMap(checkFeature),
    ...findUnused(features),
    ...findEarly(),
    ...findLiteralTexts(PANEL),
  ];
}

function check(panelProblems) {
  const { problems: widgetProblems, missing } = checkWidgetTexts();
  for (const note of missing) console.log(note);
  const problems = [...panelProblems, ...widgetProblems];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`\n${problems.length} problems of the texts. See "A visible text" in web/README.md.`);
    process.exitCode = 1;
  }
}

function markReviewed(scope, languages) {
  const [feature, only] = scope.split(".");
  for (const language of [SOURCE, ...LANGUAGES]) {
    const path = pathOf(language, feature);
    if (existsSync(path)) write(path, read(path));
  }
  const english = textsOf(SOURCE, feature);
  const marks = read(reviewedPath(feature));
  const bases = new Set(Object.keys(english).map(baseOf));
  for (const base of bases) {
    if (only && base !== only) continue;
    const hash = hashOf(formsOf(english, base));
    const [markedHash, ...marked] = (marks[base] ?? "").split(" ");
    const kept = markedHash === hash ? marked : [];
    marks[base] = [hash, ...new Set([...kept, ...languages])]
      .sort((a, b) => (b === hash) - (a === hash) || (a < b ? -1 : 1))
      .join(" ");
  }
  mkdirSync(join(TEXTS, "reviewed"), { recursive: true });
  for (const [path, text] of Object.entries(englishModules())) writeFileSync(path, text);
  write(reviewedPath(feature), Object.fromEntries(Object.entries(marks).filter(([base]) => bases.has(base))));
}

/** The modules that import every English file, so that TypeScript knows the keys, by path. */
const englishModules = () => ({
  [join(TEXTS, "english.ts")]: englishModule("english", "en", featuresIn(SOURCE)),
  [join(TEXTS, "englishPages.ts")]: englishModule("englishPages", `en/${PAGES}`, featuresIn(SOURCE, PAGES)),
});

/** Laid out as the formatter does. */
function englishModule(name, folder, features) {
  const names = features.join(", ");
  const oneLine = `export const ${name} = { ${names} };`;
  const lines = `export const ${name} = {\n${features.map((feature) => `  ${feature},\n`).join("")}};`;
  return [
    "/** The English texts: `t` takes its keys from them. Written by `npm run texts reviewed`, one entry per file. */",
    ...features.map((feature) => `import ${feature} from "./${folder}/${feature}.json";`),
    "",
    oneLine.length <= LINE_WIDTH ? oneLine : lines,
    "",
  ].join("\n");
}

const write = (path, object) => writeFileSync(path, `${JSON.stringify(sorted(object), null, 2)}\n`);

const [command, scope, ...languages] = process.argv.slice(2);
if (command === "check") {
  check(checkPanel());
} else if (command === "widget") {
  sortWidgetTexts();
  check([]);
} else if (command === "reviewed" && scope && languages.every((language) => LANGUAGES.includes(language))) {
  markReviewed(scope, languages.length > 0 ? languages : LANGUAGES);
} else {
  console.error("usage: npm run texts check | reviewed FEATURE[.NAME] [LANGUAGE…] | widget");
  process.exitCode = 2;
}
