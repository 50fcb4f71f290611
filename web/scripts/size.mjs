// Fails the build when the widget is too large for visitors' pages.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MAX_KB = 25;
const script = readFileSync(new URL("../dist/widget.js", import.meta.url));
const kilobytes = gzipSync(script, { level: 9 }).length / 1024;
console.log(`widget.js: ${kilobytes.toFixed(1)} KB gzipped (limit: ${MAX_KB} KB)`);
if (kilobytes > MAX_KB) {
  console.error("The widget is larger than its limit.");
  process.exit(1);
}
