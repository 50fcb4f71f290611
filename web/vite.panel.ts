/** How the operator panel is built: static files under /panel/, nothing inline, so that a strict CSP holds. */
import { defineConfig, loadEnv } from "vite";

/** For `npm run dev`: the stack that `make run` has started. */
const gateway = loadEnv("development", ".", "PARLEY_")["PARLEY_GATEWAY"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: "panel",
  base: "/panel/",
  build: {
    outDir: "../dist/panel",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/api": gateway, "/uploads": gateway } },
});
