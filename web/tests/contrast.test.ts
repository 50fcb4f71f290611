/** Whatever colours a site chooses, its texts are readable. */
import { expect, test } from "vitest";
import { contrast, MIN_CONTRAST, readableColour } from "../shared/contrast";
import { colourVariables } from "../widget/src/styles/colours";

const LEVELS = [0, 51, 102, 119, 128, 153, 204, 255].map((level) => level.toString(16).padStart(2, "0"));
const COLOURS = LEVELS.flatMap((red) =>
  LEVELS.flatMap((green) => LEVELS.map((blue) => `#${red}${green}${blue}`)),
);

const variable = (css: string, name: string) => new RegExp(`--${name}:(#[0-9a-f]{6})`).exec(css)?.[1] ?? "";

test("black on white has the highest contrast", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 1);
  expect(readableColour("#ffffff", "#eeeeee", "#333333")).toBe("#333333");
});

test("texts on a site's colours are readable", () => {
  for (const colour of COLOURS) {
    const css = colourVariables({ primary: colour, background: colour });
    for (const name of ["on-accent", "text", "muted"]) {
      const measured = contrast(variable(css, name), colour);
      expect(measured, `${name} on ${colour}`).toBeGreaterThanOrEqual(MIN_CONTRAST);
    }
  }
});
