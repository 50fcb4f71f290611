// Fails when the panel's first load is too large: its page, the scripts and styles that the page names, and the largest
// language.
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";

/** Bytes, compressed. */
const LIMIT = 90_000;

const size = (path) => gzipSync(readFileSync(resolve("dist/panel", path)), { level: 9 }).length;
const page = readFileSync("dist/panel/index.html", "utf8");
const named = [...page.matchAll(/(?:src|href)="\/panel\/(assets\/[^"]+\.(?:js|css))"/g)].map(
  (match) => match[1],
);
const languages = readdirSync(resolve("dist/panel/assets"))
  .filter((name) => /^(english|ar|de|es|fr|ja|pt)-.*\.js$/.test(name))
  .map((name) => size(`assets/${name}`));
const bytes = ["index.html", ...named].reduce((sum, path) => sum + size(path), 0) + Math.max(...languages);
console.log(`panel, first load: ${bytes} bytes gzipped (limit: ${LIMIT})`);
if (bytes > LIMIT || named.length < 2 || languages.length !== 7) {
  console.error("The panel's first load is larger than its limit, or its files were not found.");
  process.exitCode = 1;
}
