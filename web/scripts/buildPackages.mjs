// Builds the packages for npm into a directory: node scripts/buildPackages.mjs dist/packages.
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { resolve } from "node:path";

const outDir = resolve(process.argv[2] ?? "dist/packages");
execFileSync("node_modules/.bin/tsc", ["--project", "packages", "--outDir", outDir], { stdio: "inherit" });
for (const name of ["widget", "react"]) {
  copyFileSync(`packages/${name}/package.json`, `${outDir}/${name}/package.json`);
  copyFileSync("../LICENSE", `${outDir}/${name}/LICENSE`);
}
