// Generates shared/api.d.ts from an OpenAPI document: node scripts/apiTypes.mjs openapi.json [--check].
// With --check it writes nothing, and fails when the file is not what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const TARGET = new URL("../shared/api.d.ts", import.meta.url);
const HEADER = `/** The HTTP API's types. Generated from the OpenAPI document by \`make web-types\`: do not edit. */\n\n`;
const METHODS = ["get", "post", "put", "patch", "delete"];

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
const schemas = document.components.schemas;
for (const path of Object.values(document.paths)) {
  for (const method of METHODS) if (path[method]) reduce(path[method]);
}
removeWords(document);
const generated = HEADER + astToString(await openapiTS(document, { defaultNonNullable: true }));

if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, generated);
} else if (readFileSync(TARGET, "utf8") !== generated) {
  console.error("web/shared/api.d.ts does not match the API. Run `make web-types` and commit the result.");
  process.exit(1);
}

/** Keeps what the web pages use: every failure has the same body, and a request may omit what has a default. */
function reduce(operation) {
  for (const status of Object.keys(operation.responses)) {
    if (!status.startsWith("2")) delete operation.responses[status];
  }
  for (const parameter of operation.parameters) delete parameter.schema.default;
  removeDefaults(operation.requestBody);
}

/** Removes defaults from a request's schemas: a response always has its defaults filled in, a request need not. */
function removeDefaults(node, seen = new Set()) {
  if (node === null || typeof node !== "object" || seen.has(node)) return;
  seen.add(node);
  if (typeof node.$ref === "string") removeDefaults(schemas[node.$ref.split("/").at(-1)], seen);
  for (const property of Object.values(node.properties ?? {})) delete property.default;
  for (const child of Object.values(node)) removeDefaults(child, seen);
}

/** Removes titles, summaries and descriptions, so that the file changes only when a type does. */
function removeWords(node) {
  if (node === null || typeof node !== "object") return;
  for (const name of ["title", "summary", "description"]) {
    if (typeof node[name] === "string") delete node[name];
  }
  for (const child of Object.values(node)) removeWords(child);
}
