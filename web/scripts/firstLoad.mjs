/** The files of the panel that its first load contains: what `main.tsx` imports, other than by `import()`. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;"']*?from\s+)?["'](\.[^"']+)["']/gm;

export function findFirstLoad(entry, found = new Set()) {
  if (found.has(entry)) return found;
  found.add(entry);
  for (const [, name] of readFileSync(entry, "utf8").matchAll(IMPORT)) {
    const path = [".ts", ".tsx"].map((end) => resolve(dirname(entry), name) + end).find(existsSync);
    if (path) findFirstLoad(path, found);
  }
  return found;
}
