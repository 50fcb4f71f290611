/** How the demo page is built: a page of a made-up shop with the widget on it, under a strict CSP of its own. */
import { defineConfig } from "vite";

export default defineConfig({
  root: "demo",
  base: "/demo/",
  build: {
    outDir: "../dist/demo",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
