// Builds the visitor widget into a directory: node scripts/buildWidget.mjs dist. Fails when a part of it is too large.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** Bytes, compressed: what every page loads, and what it loads when the visitor opens the widget. */
const LIMITS = { "widget.js": 8000, "widget/chat.js": 30_000 };

const outDir = resolve(process.argv[2] ?? "dist");
process.env["WIDGET_OUT_DIR"] = outDir;
await build({ configFile: "vite.widget.ts", mode: "chat", configLoader: "runner" });
await build({ configFile: "vite.widget.ts", mode: "triggers", configLoader: "runner" });
await build({ configFile: "vite.widget.ts", mode: "launcher", configLoader: "runner" });

for (const [name, limit] of Object.entries(LIMITS)) {
  const bytes = gzipSync(readFileSync(resolve(outDir, name)), { level: 9 }).length;
  console.log(`${name}: ${bytes} bytes gzipped (limit: ${limit})`);
  if (bytes > limit) {
    console.error(`${name} is larger than its limit.`);
    process.exitCode = 1;
  }
}
