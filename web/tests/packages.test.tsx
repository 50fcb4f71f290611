/** The packages for npm: they build, and drive the widget as a page's own calls do. */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { ParleyWidgetProps } from "../packages/react";
import { FakeServer, json } from "./fakeServer";

const BUILT = "node_modules/.cache/packages";
const SITE = { siteKey: "pk_1", origin: "http://parley.test" };

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("CHAT_FILE", "chat-1.js");
  vi.stubGlobal("VERSION", "1.2.3");
  new FakeServer().on("POST", "/chat/heartbeat", () => json({ colour: "#123456" }));
  localStorage.clear();
  Reflect.deleteProperty(window, "parley");
  Reflect.deleteProperty(window, "Parley");
});

afterEach(() => {
  window.parley?.("shutdown");
  document.head.replaceChildren();
});

const scripts = () =>
  [...document.querySelectorAll("script")].map(({ src, dataset }) => [src, dataset["siteKey"]]);
const widgets = () => [...document.querySelectorAll("parley-chat")];
const language = () => widgets()[0]?.shadowRoot?.querySelector<HTMLElement>(".root")?.lang;

test("they build, with types and with the version of the widget", () => {
  rmSync(BUILT, { recursive: true, force: true });
  execFileSync("node", ["scripts/buildPackages.mjs", BUILT], { stdio: "pipe" });
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const name of ["widget", "react"]) {
    const manifest = JSON.parse(readFileSync(`${BUILT}/${name}/package.json`, "utf8"));
    expect([manifest.name, manifest.version]).toEqual([`@parley/${name}`, version]);
    for (const target of Object.values<{ types: string; default: string }>(manifest.exports)) {
      for (const file of [target.types, target.default])
        expect(existsSync(`${BUILT}/${name}/${file}`)).toBe(true);
    }
  }
  const manifest = JSON.parse(readFileSync("packages/react/package.json", "utf8"));
  expect(manifest.dependencies).toEqual({ "@parley/widget": version });
});

test("what npm packs of them builds into an application that loads the widget", async () => {
  const app = mkdtempSync(join(tmpdir(), "parley-app-"));
  const modules = join(app, "node_modules");
  onTestFinished(() => rmSync(app, { recursive: true }));
  const pack = ["pack", "--offline", "--silent", "--pack-destination", app];
  execFileSync("npm", [...pack, `./${BUILT}/widget`, `./${BUILT}/react`], { stdio: "pipe" });
  for (const name of ["widget", "react"]) {
    const target = join(modules, "@parley", name);
    mkdirSync(target, { recursive: true });
    const archive = readdirSync(app).find((file) => file.startsWith(`parley-${name}-`)) ?? "";
    execFileSync("tar", ["-xzf", join(app, archive), "-C", target, "--strip-components=1"]);
  }
  symlinkSync(resolve("node_modules/preact"), join(modules, "preact"));
  symlinkSync(resolve("node_modules/preact/compat"), join(modules, "react"));
  writeFileSync(
    join(app, "index.html"),
    '<div id="app"></div><script type="module" src="main.tsx"></script>',
  );
  copyFileSync("packages/examples/app.tsx", join(app, "app.tsx"));
  writeFileSync(
    join(app, "main.tsx"),
    `import { render } from "preact";
     import { App } from "./app";
     render(<App />, document.getElementById("app"));`,
  );
  execFileSync("node", [resolve("node_modules/vite/bin/vite.js"), "build", app], { stdio: "pipe" });
  const [script = ""] = readdirSync(join(app, "dist/assets")).filter((file) => file.endsWith(".js"));
  document.body.innerHTML = '<div id="app"></div>';
  const code = readFileSync(join(app, "dist/assets", script), "utf8");
  await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);
  expect(scripts()).toEqual([["https://chat.example.com/widget.js", "pk_1"]]);
  expect(document.querySelector("button")?.textContent).toBe("Help");
});

test("load adds the script once, and its commands wait for it", async () => {
  const { load, parley } = await import("@parley/widget");
  parley.setLanguage("de");
  const api = load(SITE);
  load(SITE);
  expect(scripts()).toEqual([["http://parley.test/widget.js", "pk_1"]]);
  expect(api.version).toBe("");
  await import("../widget/src/launcher/main");
  expect([widgets().length, language(), api.version]).toEqual([1, "de", "1.2.3"]);
  api.shutdown();
  expect(widgets()).toEqual([]);
  load(SITE);
  expect([widgets().length, scripts().length]).toEqual([1, 1]);
});

test("every command and event of the widget is in the packages", async () => {
  const { parley } = await import("@parley/widget");
  const { COMMANDS } = await import("../widget/src/launcher/commands");
  expect(Object.keys(parley).sort()).toEqual([...Object.keys(COMMANDS), "version"].sort());
});

test("a React component that is mounted twice, as in strict mode, is one widget", async () => {
  const { ParleyWidget, useParley } = await import("@parley/react");
  const element = document.createElement("div");
  const received: string[] = [];
  const draw = (props: Partial<ParleyWidgetProps>) =>
    act(() => render(<ParleyWidget {...SITE} onReady={() => received.push("ready")} {...props} />, element));
  await draw({});
  await act(() => render(null, element));
  await draw({ language: "fr" });
  await import("../widget/src/launcher/main");
  expect([widgets().length, language(), received]).toEqual([1, "fr", ["ready"]]);
  await draw({ language: "es", hidden: true });
  expect(language()).toBe("es");
  expect(widgets()[0]?.shadowRoot?.querySelector(".bare")).not.toBeNull();
  useParley().show();
  expect(widgets()[0]?.shadowRoot?.querySelector(".bare")).toBeNull();
  await act(() => render(null, element));
  expect(widgets()).toEqual([]);
});
