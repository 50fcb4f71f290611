/** The first run: which steps are done, and that a late answer does not bring an earlier state back. */
import { expect, test } from "vitest";
import {
  canOpen,
  findDone,
  NO_SITE,
  nextStep,
  SerializedState,
  type SetupFacts,
  STEPS,
  toDomain,
} from "../panel/src/setup/steps";
import { settle } from "./fakeServer";

const ALL: SetupFacts = {
  siteId: 1,
  widget: { seen_at: "2026-01-01T12:00:00Z", origin: "https://shop.test" },
  members: 2,
  knowledgeEntries: 1,
  hasEndpoint: false,
  hasAcceptedChat: true,
};

test("an empty installation begins with the site, and no other step can be taken", () => {
  expect(nextStep(NO_SITE)).toBe("site");
  expect(STEPS.filter((step) => canOpen(step, NO_SITE))).toEqual(["site"]);
  expect(Object.values(findDone(NO_SITE))).not.toContain(true);
});

test("each step is done by what the server has", () => {
  expect(nextStep(ALL)).toBeNull();
  expect(nextStep({ ...ALL, widget: null })).toBe("snippet");
  expect(nextStep({ ...ALL, members: 1 })).toBe("team");
  expect(nextStep({ ...ALL, knowledgeEntries: 0 })).toBe("ai");
  expect(nextStep({ ...ALL, knowledgeEntries: 0, hasEndpoint: true })).toBeNull();
  expect(nextStep({ ...ALL, hasAcceptedChat: false })).toBe("chat");
});

test("a skipped step is passed over and stays to be done", () => {
  const facts = { ...ALL, widget: null, members: 1 };
  expect(nextStep(facts, new Set(["snippet"]))).toBe("team");
  expect(nextStep(facts, new Set(["snippet", "team"]))).toBeNull();
  expect(findDone(facts).snippet).toBe(false);
});

test.each([
  ["https://www.shop.test/start?a=1", "www.shop.test"],
  ["shop.test", "shop.test"],
  [" Shop.test:8443/ ", "shop.test"],
  ["bücher.test", "xn--bcher-kva.test"],
  ["not an address", "not an address"],
])("the domain of %s is %s", (address, domain) => {
  expect(toDomain(address)).toBe(domain);
});

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test("a late answer does not reopen a finished step", async () => {
  const fetches: ReturnType<typeof deferred<string>>[] = [];
  const shown: string[] = [];
  const state = new SerializedState(
    () => {
      const fetched = deferred<string>();
      fetches.push(fetched);
      return fetched.promise;
    },
    (value) => shown.push(value),
  );
  const early = state.refresh();
  const change = state.change(async () => undefined);
  await settle();
  fetches[1]?.resolve("done");
  await change;
  fetches[0]?.resolve("not done");
  await early;
  expect(shown).toEqual(["done"]);
});

test("changes run one after another, also after one that failed", async () => {
  const order: string[] = [];
  const first = deferred<void>();
  const state = new SerializedState(
    async () => order.push("fetch"),
    () => {},
  );
  const failing = state.change(async () => {
    order.push("first");
    await first.promise;
    throw new Error("refused");
  });
  const second = state.change(async () => order.push("second"));
  await settle();
  expect(order).toEqual(["first"]);
  first.resolve();
  await expect(failing).rejects.toThrow("refused");
  await second;
  expect(order).toEqual(["first", "second", "fetch"]);
});
