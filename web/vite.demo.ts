/** Build of the demo page: a fictional shop with the widget, under a strict Content Security Policy. */
import { resolve } from "node:path";
import { defineConfig } from "vite";
import { catalogueConstants } from "./widget/src/i18n/catalogues";

export default defineConfig({
  root: "demo",
  base: "/demo/",
  define: catalogueConstants(),
  resolve: { alias: { "@parley/widget": resolve("packages/widget/index.ts") } },
  build: {
    outDir: "../dist/demo",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
