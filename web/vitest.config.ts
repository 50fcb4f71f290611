/** Unit tests of the state that must not lose anything, in a simulated browser. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: [
      {
        find: "./initialCatalogue",
        replacement: new URL("tests/englishCatalogue.ts", import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "happy-dom",
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
