/** Unit tests of the state that must not lose anything, in a simulated browser. */
import { defineConfig } from "vitest/config";
import { catalogueConstants } from "./widget/src/i18n/catalogues";

export default defineConfig({
  define: catalogueConstants(),
  resolve: {
    alias: [
      { find: "@parley/widget", replacement: new URL("packages/widget/index.ts", import.meta.url).pathname },
      { find: "@parley/react", replacement: new URL("packages/react/index.ts", import.meta.url).pathname },
      { find: /^react$/, replacement: "preact/compat" },
      {
        find: "./initialCatalogue",
        replacement: new URL("tests/englishCatalogue.ts", import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    environment: "happy-dom",
    // A script that a page adds is not loaded, and that is no error.
    environmentOptions: { happyDOM: { settings: { handleDisabledFileLoadingAsSuccess: true } } },
    // One simulated browser for all files: creating it takes longer than the tests.
    isolate: false,
    maxWorkers: 1,
    // Importing the modules takes seconds on a busy machine.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
