/**
 * Build of the visitor widget, by scripts/buildWidget.mjs: the chat window first (mode `chat`), then what shows triggers
 * (mode `triggers`), a module of its own because it works without the chat window; at last the launcher, the classic
 * script that a page includes with one tag and that knows the file names of both.
 */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { version } from "./package.json";
import { CATALOGUES, catalogueConstants } from "./widget/src/i18n/catalogues";
import { windowStyles } from "./widget/src/styles/windowStyles";

/**
 * Parts of the chat window that are loaded when they are needed share modules with it. They take them from a global in
 * place of an import: the chat window may have been loaded from another address (`chat.js`, `?attempt=`), and a browser
 * would load it again, with a state of its own.
 */
const shareModules: Plugin = {
  name: "share-modules",
  generateBundle: {
    order: "post",
    handler(_options, bundle) {
      const shared = 'globalThis[Symbol.for("parley.chat")]';
      const chat = Object.values(bundle).find(({ name }) => name === "chat")?.fileName;
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        if (chunk.name === "chat" && chunk.imports.length)
          this.error(`the chat window, which defines what is shared, imports ${chunk.imports}`);
        const edits: { start: number; end: number; text: string }[] = [];
        for (const node of this.parse(chunk.code).body) {
          if (node.type === "ImportDeclaration" && node.source.value === `./${chat}`) {
            const names = node.specifiers.map((one) =>
              one.type === "ImportSpecifier"
                ? `${nameOf(one.imported)}:${one.local.name}`
                : this.error("import"),
            );
            edits.push({ ...node, text: `const{${names}}=${shared};` });
          } else if (node.type === "ExportNamedDeclaration" && chunk.name === "chat") {
            const names = node.specifiers.map((one) => `${nameOf(one.exported)}:${nameOf(one.local)}`);
            edits.push({ start: node.end, end: node.end, text: `${shared}={${names}};` });
          }
        }
        for (const { start, end, text } of edits.reverse())
          chunk.code = chunk.code.slice(0, start) + text + chunk.code.slice(end);
      }
    },
  },
};

const nameOf = (node: { type: string; name?: string }): string => node.name ?? "default";

/** What the chat window loads, and its copy under a name that stays: for launchers of another version. */
const emitAssets: Plugin = {
  name: "emit-assets",
  generateBundle: {
    order: "post",
    handler(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && chunk.name === "chat")
          this.emitFile({ type: "asset", fileName: "chat.js", source: chunk.code });
      }
      const page = readFileSync("widget/app/app.html", "utf8");
      this.emitFile({ type: "asset", fileName: "app.html", source: page });
      for (const [language, strings] of Object.entries(CATALOGUES)) {
        if (language === "en") continue;
        this.emitFile({ type: "asset", fileName: `${language}.json`, source: JSON.stringify(strings) });
      }
      // Pages that were loaded from a server of version 0.2 ask for it when the visitor opens the widget.
      this.emitFile({ type: "asset", fileName: "window.css", source: windowStyles });
    },
  },
};

/** Vite's own loads style sheets and hints of what a module needs: the chat window's parts need neither. */
const plainImports: Plugin = {
  name: "plain-imports",
  enforce: "pre",
  load: (id) =>
    id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : null,
};

/** Removes comments and line breaks from the style sheets, which are template literals in `styles/`. */
const compactStyles: Plugin = {
  name: "compact-styles",
  transform: (code, id) =>
    id.includes("/styles/") && !id.includes("colours")
      ? code.replace(/\/\*.*?\*\/\n/g, "").replace(/([{};,`])\n/g, "$1")
      : null,
};

const common = (config: UserConfig["build"]): UserConfig => ({
  root: "widget",
  resolve: { alias: { "@parley/widget": resolve("packages/widget/index.ts") } },
  publicDir: false,
  logLevel: "warn",
  build: { target: "es2022", cssCodeSplit: false, ...config },
});

export default defineConfig(({ mode }) => {
  const outDir = process.env["WIDGET_OUT_DIR"] as string;
  const define = { "process.env.NODE_ENV": '"production"', ...catalogueConstants() };
  if (mode === "chat") {
    return {
      ...common({
        outDir: `${outDir}/widget`,
        emptyOutDir: true,
        modulePreload: false,
        rolldownOptions: {
          input: { chat: "widget/src/chat.tsx", app: "widget/app/app.ts" },
          preserveEntrySignatures: "allow-extension",
          output: {
            format: "es",
            entryFileNames: ({ name }) => (name === "app" ? "app.js" : "chat-[hash].js"),
            chunkFileNames: "part-[name]-[hash].js",
            // What the chat window imports is in it, also what its parts import too.
            codeSplitting: {
              groups: [{ name: "chat", tags: ["$initial"], test: /^(?!.*\/(widget\/app|packages)\/)/ }],
            },
          },
        },
      }),
      plugins: [plainImports, compactStyles, shareModules, emitAssets],
      define,
    };
  }
  if (mode === "triggers") {
    return {
      ...common({
        outDir: `${outDir}/widget`,
        emptyOutDir: false,
        modulePreload: false,
        rolldownOptions: {
          input: { triggers: "widget/src/triggers/triggers.ts" },
          preserveEntrySignatures: "strict",
          output: { format: "es", entryFileNames: "part-[name]-[hash].js" },
        },
      }),
      plugins: [plainImports, compactStyles],
      define,
    };
  }
  const findFile = (prefix: string) =>
    JSON.stringify(readdirSync(`${outDir}/widget`).find((name) => name.startsWith(prefix)));
  return {
    ...common({
      outDir,
      emptyOutDir: false,
      lib: {
        entry: "src/launcher/main.ts",
        formats: ["iife"],
        name: "ParleyWidget",
        fileName: () => "widget.js",
      },
    }),
    plugins: [compactStyles],
    define: {
      ...define,
      VERSION: JSON.stringify(version),
      CHAT_FILE: findFile("chat-"),
      TRIGGERS_FILE: findFile("part-triggers-"),
    },
  };
});
