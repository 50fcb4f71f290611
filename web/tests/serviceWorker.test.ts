/** The service worker: what happens when the browser replaces its push subscription. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CODE = readFileSync("panel/public/serviceWorker.js", "utf8");

/** Starts the worker with some open panels, and has its subscription replaced. */
async function replaceSubscription(panels: number, languages: string[]) {
  const listeners = new Map<string, (event: object) => void>();
  const posted: unknown[] = [];
  const shown: unknown[] = [];
  const clients = Array.from({ length: panels }, () => ({
    postMessage: (message: unknown) => posted.push(message),
  }));
  const worker = {
    addEventListener: (type: string, listener: (event: object) => void) => listeners.set(type, listener),
    clients: { matchAll: async () => clients },
    navigator: { languages },
    registration: {
      pushManager: { subscribe: async (options: unknown) => posted.push(options) },
      showNotification: async (_title: string, { body }: { body: string }) => shown.push(body),
    },
  };
  new Function("self", CODE)(worker);
  let done: Promise<void> | undefined;
  listeners.get("pushsubscriptionchange")?.({
    oldSubscription: { options: "the same options" },
    waitUntil: (promise: Promise<void>) => {
      done = promise;
    },
  });
  await done;
  return { posted, shown };
}

test("an open panel registers a replaced subscription", async () => {
  const { posted, shown } = await replaceSubscription(1, ["en"]);
  expect(posted).toEqual(["the same options", { type: "subscription" }]);
  expect(shown).toEqual([]);
});

test("without an open panel the operator is asked to open it, in the browser's language", async () => {
  expect((await replaceSubscription(0, ["nl", "de-CH", "en"])).shown).toEqual([
    expect.stringMatching(/^Öffnen Sie Parley/),
  ]);
  expect((await replaceSubscription(0, ["nl"])).shown).toEqual([expect.stringMatching(/^Open Parley/)]);
});
