"use strict";
// Renders the OpenAPI document. Content is inserted as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

function resolve(schema, api) {
  let resolved = schema || {};
  for (let depth = 0; resolved.$ref && depth < 10; depth += 1) resolved = api.components.schemas[resolved.$ref.split("/").pop()] || {};
  return resolved;
}

function typeOf(schema, api) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map((choice) => typeOf(choice, api)).join(" | ");
  if (schema.allOf) return schema.allOf.map((part) => typeOf(part, api)).join(" & ");
  if (schema.type === "array") return `${typeOf(schema.items, api) || "any"}[]`;
  return schema.format ? `${schema.type} (${schema.format})` : schema.type || "any";
}

function fieldsOf(schema, api) {
  const resolved = resolve(schema, api);
  const parts = resolved.allOf ? resolved.allOf.map((part) => resolve(part, api)) : [resolved];
  return parts.flatMap((part) =>
    Object.entries(part.properties || {}).map(([name, field]) => ({
      name, field, required: (part.required || []).includes(name),
    })));
}

function table(rows, api) {
  const body = rows.map(({ name, field, required, note }) => make("tr", {},
    make("td", {}, make("code", {}, name)),
    make("td", {}, typeOf(field, api)),
    make("td", {}, [required ? "required" : "", note || "", field.description || "", bounds(field)].filter(Boolean).join(" · "))));
  return make("table", {}, make("tbody", {}, ...body));
}

function bounds(field) {
  const labels = { minLength: "at least", maxLength: "at most", minimum: "minimum", maximum: "maximum", pattern: "pattern", default: "default" };
  return Object.entries(labels).filter(([key]) => field[key] !== undefined && field[key] !== null)
    .map(([key, label]) => `${label} ${typeof field[key] === "object" ? JSON.stringify(field[key]) : field[key]}`).join(", ");
}

function curl(path, method, operation, body) {
  const lines = [`curl -X ${method.toUpperCase()} '${location.origin}${path}'`];
  if ((operation.security || []).length) lines.push("-H \"Authorization: Bearer $TOKEN\"");
  if (body && body["multipart/form-data"]) lines.push("-F 'image=@picture.png'");
  else if (body) {
    lines.push("-H 'Content-Type: application/json'");
    lines.push(`-d '${JSON.stringify(body["application/json"].example || {}).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

function schemaView(title, schema, api) {
  const rows = fieldsOf(schema, api);
  const raw = make("details", {}, make("summary", {}, "Schema"), make("pre", {}, JSON.stringify(resolve(schema, api), null, 2)));
  return make("div", {}, make("h4", {}, title), rows.length ? table(rows, api) : make("p", {}, typeOf(schema, api)), raw);
}

function responses(operation, api) {
  return Object.entries(operation.responses || {}).filter(([status]) => status.startsWith("2")).map(([status, response]) => {
    const [media, content] = Object.entries(response.content || {})[0] || ["", {}];
    return schemaView(`${status} · ${media}`, content.schema, api);
  });
}

function article(path, method, operation, api) {
  const body = operation.requestBody && operation.requestBody.content;
  const marks = [
    (operation.security || []).length ? "bearer token" : "no token",
    operation["x-permission"] ? `permission ${operation["x-permission"]}` : "",
    operation["x-rate-class"] ? `rate class ${operation["x-rate-class"]}` : "",
  ].filter(Boolean).join(" · ");
  const parameters = (operation.parameters || []).map((parameter) => ({
    name: parameter.name, field: parameter.schema || {}, required: parameter.required, note: `in ${parameter.in}`,
  }));
  const errorStatuses = Object.keys(operation.responses || {}).filter((status) => !status.startsWith("2")).join(", ");
  return make("article", { id: `${method}-${path}` },
    make("h3", {}, make("span", { class: "method" }, method.toUpperCase()), path),
    make("div", {},
      make("p", {}, operation.summary || "", operation.description ? ` ${operation.description}` : ""),
      make("p", { class: "marks" }, marks),
      parameters.length ? make("h4", {}, "Parameters") : null,
      parameters.length ? table(parameters, api) : null,
      body ? schemaView(`Body · ${Object.keys(body)[0]}`, Object.values(body)[0].schema, api) : null,
      ...responses(operation, api),
      errorStatuses ? make("p", { class: "marks" }, `Errors: ${errorStatuses}, in the error envelope.`) : null,
      make("h4", {}, "Example"), make("pre", {}, curl(path, method, operation, body))));
}

function render(api) {
  document.getElementById("about").textContent = api.info.description;
  const tags = new Map();
  for (const [path, item] of Object.entries(api.paths)) for (const method of METHODS) if (item[method]) {
    const tag = (item[method].tags || ["other"])[0];
    if (!tags.has(tag)) tags.set(tag, []);
    tags.get(tag).push([path, method, item[method]]);
  }
  const entries = [];
  for (const [tag, operations] of tags) {
    const heading = make("h2", { id: `tag-${tag}` }, tag);
    const title = make("h2", {}, tag);
    document.getElementById("operations").append(heading);
    document.getElementById("contents").append(title);
    for (const [path, method, operation] of operations) {
      const node = article(path, method, operation, api);
      const link = make("a", { href: `#${method}-${path}` }, `${method.toUpperCase()} ${path.replace("/api/v1", "")}`);
      document.getElementById("operations").append(node);
      document.getElementById("contents").append(link);
      entries.push({ text: `${tag} ${path} ${method} ${operation.summary || ""}`.toLowerCase(), nodes: [node, link] });
    }
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const query = event.target.value.toLowerCase();
    for (const { text, nodes } of entries) for (const node of nodes) node.hidden = !text.includes(query);
  });
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

fetch("/api/v1/openapi.json")
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
  .then(render)
  .catch((error) => { document.getElementById("about").textContent = `The document is not available right now (${error.message}).`; });
