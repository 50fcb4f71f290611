/** Build of the operator panel: static files under /panel/ with nothing inline, as a strict CSP requires. */
import { defineConfig, loadEnv } from "vite";

/** The gateway that `npm run dev` forwards requests to. */
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
