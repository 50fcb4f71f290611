/** Canned replies: which text opens the list, what it lists, and what the variables become. */
import { expect, test } from "vitest";
import { convertOldText, fillVariables, findTrigger, matchReplies } from "../panel/src/cannedReplies/text";
import type { CannedReply } from "../shared/apiTypes";

const at = (text: string) => findTrigger(text, text.length);

test("a slash at the beginning or after a space starts a shortcut, anywhere in the text", () => {
  expect(at("/")).toEqual({ start: 0, end: 1, query: "" });
  expect(at("Hello /tha")).toEqual({ start: 6, end: 10, query: "tha" });
  expect(at("Line\n/x")?.query).toBe("x");
  expect(findTrigger("Hello /tha and more", 10)).toEqual({ start: 6, end: 10, query: "tha" });
});

test.each(["and/or", "https://shop.test/a", "1 / 2", "/two words", "//", `/${"x".repeat(31)}`])(
  "%s starts none",
  (text) => {
    expect(at(text)).toBeNull();
  },
);

const reply = (shortcut: string, text: string, use_count = 0) =>
  ({ shortcut, text, use_count }) as CannedReply;

test("shortcuts that start with the query come first, the most used before others", () => {
  const replies = [
    reply("bye", "Until then"),
    reply("thanks", "Thank you"),
    reply("Thé", "Tea", 5),
    reply("x", "the"),
  ];
  expect(matchReplies(replies, "th").map((one) => one.shortcut)).toEqual(["Thé", "thanks", "bye", "x"]);
  expect(matchReplies(replies, "zzz")).toEqual([]);
});

const VALUES = { "visitor.name": "Ada", "visitor.email": null, "operator.name": "Alex", "site.name": "Shop" };

test("variables become their values, fallbacks without one, nothing without either", () => {
  expect(fillVariables("Hi {{visitor.name|there}}, {{ operator.name }} of {{site.name}}.", VALUES)).toBe(
    "Hi Ada, Alex of Shop.",
  );
  expect(fillVariables("Hi {{visitor.name|there}}!", { ...VALUES, "visitor.name": "" })).toBe("Hi there!");
  expect(fillVariables("Hi {{visitor.email}}, welcome", VALUES)).toBe("Hi, welcome");
  // A visitor who calls themselves a variable reveals nothing.
  const named = { ...VALUES, "visitor.name": "{{operator.name}}" };
  expect(fillVariables("Hi {{visitor.name}}", named)).toBe("Hi {{operator.name}}");
});

test("replies of earlier versions keep their meaning", () => {
  expect(convertOldText("Hi {name}, this is {me}.")).toBe("Hi {{visitor.name}}, this is {{operator.name}}.");
});
