/** Links in text from strangers: what becomes one, and that no text takes long. */
import { expect, test } from "vitest";
import { linkify } from "../shared/linkify";

const links = (text: string) =>
  linkify(text)
    .filter((part) => part.href)
    .map((part) => part.text);

test.each([
  ["See https://a.example/b.", ["https://a.example/b"]],
  ["(https://a.example/wiki/B_(c))", ["https://a.example/wiki/B_(c)"]],
  ["[https://a.example/b]!", ["https://a.example/b"]],
  ["见 https://a.example/b。", ["https://a.example/b"]],
  ["www.video.example/@channel", ["www.video.example/@channel"]],
  ["write to jo@shop.example, please", ["jo@shop.example"]],
  ["javascript:alert(1) data:text/html,x file:///etc", []],
])("%s", (text, expected) => {
  expect(links(text)).toEqual(expected);
});

test("an address on www is a page, also with an @ in it", () => {
  expect(linkify("www.video.example/@a")[0]?.href).toBe("https://www.video.example/@a");
});

test("no text is lost", () => {
  const text = "a https://b.example/), c@d.example; <https://e.example> www.";
  expect(
    linkify(text)
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
});

const HOSTILE: [string, (size: number) => string][] = [
  ["closing brackets", (size) => `http://a${")".repeat(size)}`],
  ["punctuation before a letter", (size) => `http://a${"!".repeat(size)}a`],
  ["brackets and punctuation", (size) => `http://a${").".repeat(size / 2)}`],
  ["schemes", (size) => "http://".repeat(size / 7)],
  ["a long host", (size) => `http://${"a".repeat(size)} `],
  ["half addresses", (size) => "a.".repeat(size / 2)],
  ["at signs", (size) => "a@".repeat(size / 2)],
  ["labels without an end", (size) => `${"a".repeat(64)}@${"a-".repeat(size / 2)}`],
  ["www", (size) => "www.".repeat(size / 4)],
];

test.each(HOSTILE)("hostile text takes time in proportion to its length: %s", (_, build) => {
  linkify(build(1000));
  const start = performance.now();
  linkify(build(100_000));
  // Twelve times a message's length. A pattern that backtracks takes minutes.
  expect(performance.now() - start).toBeLessThan(1000);
});
