// Fails the build when the widget grows past what a visitor's page should have to carry.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LARGEST_KB = 25;
const script = readFileSync(new URL("../dist/widget.js", import.meta.url));
const kilobytes = gzipSync(script, { level: 9 }).length / 1024;
console.log(`widget.js: ${kilobytes.toFixed(1)} KB gzipped (at most ${LARGEST_KB})`);
if (kilobytes > LARGEST_KB) {
  console.error("The widget is too large.");
  process.exit(1);
}
