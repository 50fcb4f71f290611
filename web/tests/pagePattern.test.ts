/** Which pages the patterns of triggers are for. */
import { expect, test } from "vitest";
import { matchesPage } from "../shared/pagePattern";

const SHOP = "https://Shop.example.com";

test.each([
  ["/", `${SHOP}/`, true],
  ["/", `${SHOP}/pricing`, false],
  ["/pricing", `${SHOP}/pricing/`, true],
  ["/pricing/", `${SHOP}/Pricing?utm=1#plans`, true],
  ["/pricing", `${SHOP}/pricing/teams`, false],
  ["/pricing*", `${SHOP}/pricing/teams`, true],
  ["/pricing/*", `${SHOP}/pricing`, false],
  ["*/checkout", `${SHOP}/de/checkout`, true],
  ["*", `${SHOP}/anything`, true],
  ["/*/shoes/*", `${SHOP}/men/shoes/red`, true],
  ["/*/shoes/*", `${SHOP}/shoes/red`, false],
  ["/a*a", `${SHOP}/a`, false],
  ["shop.example.com/*", `${SHOP}/x`, true],
  ["https://shop.example.com", `${SHOP}/`, true],
  ["*.example.com/*", `${SHOP}/x`, true],
  ["other.example.com/*", `${SHOP}/x`, false],
  ["localhost:3000/*", "http://localhost:3000/x", true],
  ["/search?*q=shoes*", `${SHOP}/search?lang=en&q=shoes`, true],
  ["/search?*q=shoes*", `${SHOP}/search?q=hats`, false],
  ["/app#/orders*", `${SHOP}/app#/orders/17`, true],
  ["/über-uns", `${SHOP}/%C3%BCber-uns`, true],
  ["/%", `${SHOP}/%`, true],
  ["/x", "not an address", false],
])("%s and %s: %s", (pattern, address, matches) => {
  expect(matchesPage(address, pattern)).toBe(matches);
});

test("a hostile pattern and address take no time", () => {
  const started = performance.now();
  expect(matchesPage(`${SHOP}/${"a".repeat(2000)}`, `/${"*a".repeat(90)}*b`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(100);
});
