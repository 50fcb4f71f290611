/** Mentions in notes: what is being typed after an @, and whom it can become. */
import { expect, test } from "vitest";
import { findMentionTrigger, matchNames } from "../panel/src/mentions/mentions";

const PEOPLE = [
  { id: 7, name: "Sam Lee" },
  { id: 8, name: "Élodie Sam" },
];

test("a name is completed from the @ before the cursor", () => {
  expect(findMentionTrigger("Ask @Sam L", 10)).toEqual({ start: 4, end: 10, query: "Sam L" });
  expect(findMentionTrigger("@", 1)).toEqual({ start: 0, end: 1, query: "" });
  expect(findMentionTrigger("sam@example.com", 15)).toBeNull();
  expect(findMentionTrigger("no one", 6)).toBeNull();
});

test("every word of a name finds it", () => {
  const names = (query: string) => matchNames(PEOPLE, query).map(({ name }) => name);
  expect(names("sam")).toEqual(["Sam Lee", "Élodie Sam"]);
  expect(names("Sam L")).toEqual(["Sam Lee"]);
  expect(names("lodie")).toEqual([]);
  expect(names("")).toHaveLength(2);
});
