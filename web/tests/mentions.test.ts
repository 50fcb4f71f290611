/** Mentions in notes: what is being typed after an @, whom it can become, and the operator's own. */
import { expect, test, vi } from "vitest";
import { findMentionTrigger, matchNames } from "../panel/src/mentions/mentions";
import { buildEvent } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

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

test("a mention that arrives during the fetch of all of them stays, and one that was read does not return", async () => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  const server = new FakeServer();
  let respond: (response: Response) => void = () => undefined;
  server.on("GET", "/operator/mentions", () => new Promise((resolve) => (respond = resolve)));
  server.on("POST", "/operator/conversation/50/mentions/read", () => json({}));
  const module = await import("../panel/src/mentions/mentions");
  const note = (id: number) => ({ id, mentions: [7], author: { id: 8, name: "Sam" }, content: "@Alex" });
  const old = { site_id: 1, conversation_id: 50, note: note(1) };
  module.mentions.value = [old as never];
  const loading = module.loadMentions();
  await settle();
  await module.readMentions(50);
  module.applyMentionEvent({ ...buildEvent("note.created", { note: note(3) }), conversation_id: 51 });
  respond(json({ mentions: [{ site_id: 1, conversation_id: 52, note: note(2) }, old] }));
  await loading;
  expect(module.mentions.value.map((one) => one.note.id)).toEqual([3, 2]);
});
