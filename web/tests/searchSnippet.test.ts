/** A search's hit is displayed with what matches marked. */
import { expect, test } from "vitest";
import { splitSnippet } from "../panel/src/search/snippet";

const marked = (text: string, ...marks: [number, number][]) =>
  splitSnippet({ text, marks }).map(({ text: part, marked: isMarked }) => (isMarked ? `[${part}]` : part));

test("a text is divided at its marks", () => {
  expect(marked("Where is my order?", [9, 11], [12, 17])).toEqual(["Where is ", "[my]", " ", "[order]", "?"]);
  expect(marked("order", [0, 5])).toEqual(["[order]"]);
  expect(marked("order")).toEqual(["order"]);
});

test("marks count code points", () => {
  expect(marked("😀 order", [2, 7])).toEqual(["😀 ", "[order]"]);
});
