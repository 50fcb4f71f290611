/**
 * Build of the visitor widget, by scripts/buildWidget.mjs: the chat window first (mode `chat`), then the launcher, the
 * classic script that a page includes with one tag and that knows the chat window's file name.
 */
import { readdirSync } from "node:fs";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { version } from "./package.json";
import { CATALOGUES, launcherTexts } from "./widget/src/i18n/catalogues";
import { windowStyles } from "./widget/src/styles/windowStyles";

/** What the chat window loads, and its copy under a name that stays: for launchers of another version. */
const emitAssets: Plugin = {
  name: "emit-assets",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk" && chunk.isEntry)
        this.emitFile({ type: "asset", fileName: "chat.js", source: chunk.code });
    }
    for (const [language, strings] of Object.entries(CATALOGUES)) {
      if (language === "en") continue;
      this.emitFile({ type: "asset", fileName: `${language}.json`, source: JSON.stringify(strings) });
    }
    // Pages that were loaded from a server of version 0.2 ask for it when the visitor opens the widget.
    this.emitFile({ type: "asset", fileName: "window.css", source: windowStyles });
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
  publicDir: false,
  logLevel: "warn",
  build: { target: "es2022", cssCodeSplit: false, ...config },
});

export default defineConfig(({ mode }) => {
  const outDir = process.env["WIDGET_OUT_DIR"] as string;
  const define = { "process.env.NODE_ENV": '"production"' };
  if (mode === "chat") {
    return {
      ...common({
        outDir: `${outDir}/widget`,
        emptyOutDir: true,
        modulePreload: false,
        rolldownOptions: {
          input: "widget/src/chat.tsx",
          preserveEntrySignatures: "strict",
          output: { format: "es", entryFileNames: "chat-[hash].js", chunkFileNames: "[name]-[hash].js" },
        },
      }),
      plugins: [plainImports, compactStyles, emitAssets],
      define,
    };
  }
  const chatFile = readdirSync(`${outDir}/widget`).find((name) => name.startsWith("chat-"));
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
      CHAT_FILE: JSON.stringify(chatFile),
      LAUNCHER_TEXTS: JSON.stringify(launcherTexts()),
    },
  };
});
