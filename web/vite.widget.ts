/** Build of the visitor widget: one classic script that a page includes with one tag. */
import { defineConfig } from "vite";

export default defineConfig({
  root: "widget",
  publicDir: false,
  build: {
    outDir: "../dist",
    emptyOutDir: false,
    target: "es2022",
    cssCodeSplit: false,
    lib: { entry: "src/main.tsx", formats: ["iife"], name: "ParleyWidget", fileName: () => "widget.js" },
  },
  define: { "process.env.NODE_ENV": '"production"' },
});
