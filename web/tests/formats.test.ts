/** Amounts as the panel shows them. */
import { expect, test } from "vitest";
import { formatCost } from "../panel/src/i18n/formats";

test.each([
  [12.345, "€12.35"],
  [0.0123456, "€0.0123"],
  [0.00004321, "€0.000043"],
  [0, "€0.00"],
])("a cost of %d shows what was paid, however little", (amount, shown) => {
  expect(formatCost(amount, "EUR")).toBe(shown);
});
