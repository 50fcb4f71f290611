/** Build of the visitor widget: one classic script that a page includes with one tag, and what it loads when needed. */
import { defineConfig, type Plugin } from "vite";
import { CATALOGUES } from "./widget/src/i18n/catalogues";
import { windowStyles } from "./widget/src/styles/windowStyles";

const emitAssets: Plugin = {
  name: "emit-assets",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "widget/window.css", source: windowStyles });
    for (const [language, strings] of Object.entries(CATALOGUES)) {
      if (language === "en") continue;
      this.emitFile({ type: "asset", fileName: `widget/${language}.json`, source: JSON.stringify(strings) });
    }
  },
};

export default defineConfig({
  root: "widget",
  publicDir: false,
  plugins: [emitAssets],
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    target: "es2022",
    cssCodeSplit: false,
    lib: { entry: "src/main.tsx", formats: ["iife"], name: "ParleyWidget", fileName: () => "widget.js" },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});
