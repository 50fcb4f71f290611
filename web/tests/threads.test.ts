/** Threads: fetched pages and live events arrive in any order, and no message is missing or doubled. */
import { beforeEach, expect, test, vi } from "vitest";
import type { ConversationDetail } from "../shared/apiTypes";
import { buildConversation, buildDetail, buildEvent, buildMessage } from "./builders";
import { FakeServer, failure, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

type Threads = typeof import("../panel/src/conversation/threads");

const PATH = "/operator/conversation/50";

let server: FakeServer;
let threads: Threads;

beforeEach(async () => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  server = new FakeServer();
  threads = await import("../panel/src/conversation/threads");
});

const messages = (...seqs: number[]) => seqs.map((seq) => buildMessage(seq));
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => buildMessage(first + index));
const serve = (detail: ConversationDetail) => server.on("GET", PATH, () => json({ conversation: detail }));
const seqs = () => threads.getThread(50)?.messages.map((message) => message.seq);

test("a loaded conversation has all its messages", async () => {
  serve(buildDetail(messages(1, 2, 3)));
  await threads.loadThread(50);
  expect(seqs()).toEqual([1, 2, 3]);
  expect(threads.getThread(50)?.complete).toBe(true);
  expect(threads.getLoadFailure(50)).toBeUndefined();
});

test("older pages are added in front until the first message is there", async () => {
  serve(buildDetail(range(51, 100)));
  await threads.loadThread(50);
  expect(threads.getThread(50)?.complete).toBe(false);
  serve(buildDetail(range(1, 50)));
  await threads.loadOlderMessages(50);
  expect(seqs()).toHaveLength(100);
  expect(server.requests.at(-1)?.url.searchParams.get("before_seq")).toBe("51");
  expect(threads.getThread(50)?.complete).toBe(true);
  await threads.loadOlderMessages(50);
  expect(server.requests).toHaveLength(2);
});

test("an event adds its message once, however often it comes", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  for (let round = 0; round < 2; round += 1) {
    threads.applyThreadEvent(buildEvent("message.created", buildMessage(2)));
  }
  expect(seqs()).toEqual([1, 2]);
});

test("a message beyond a gap makes the gap be fetched", async () => {
  serve(buildDetail(messages(1, 2)));
  await threads.loadThread(50);
  serve(buildDetail(messages(1, 2, 3, 4, 5)));
  threads.applyThreadEvent(buildEvent("message.created", buildMessage(5)));
  await settle();
  expect(seqs()).toEqual([1, 2, 3, 4, 5]);
});

test("a page that leaves a gap to what is known replaces it", async () => {
  serve(buildDetail(range(1, 10)));
  await threads.loadThread(50);
  serve(buildDetail(range(61, 110)));
  await threads.loadThread(50);
  expect(seqs()?.[0]).toBe(61);
  expect(threads.getThread(50)?.complete).toBe(false);
});

test("a page that touches what is known keeps the older messages", async () => {
  serve(buildDetail(range(1, 10)));
  await threads.loadThread(50);
  serve(buildDetail(range(11, 20)));
  await threads.loadThread(50);
  expect(seqs()).toEqual(range(1, 20).map((message) => message.seq));
  expect(threads.getThread(50)?.complete).toBe(true);
});

test("a translation that came as an event survives an older page", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  const translation = { lang: "de", content: "Nachricht", status: "done" };
  threads.applyThreadEvent(buildEvent("message.translated", { seq: 1, translation }));
  await threads.loadThread(50);
  expect(threads.getThread(50)?.messages[0]?.translation).toEqual(translation);
});

test("an older version of a conversation does not replace a newer one", async () => {
  serve(buildDetail(messages(1), { version: 5, mode: "operator" }));
  await threads.loadThread(50);
  const older = buildConversation({ version: 4, mode: "pending" });
  threads.applyThreadEvent(buildEvent("conversation.pending", { conversation: older, by: null }));
  expect(threads.getConversation(50)?.mode).toBe("operator");
  const newer = buildConversation({ version: 6, mode: "closed" });
  threads.applyThreadEvent(buildEvent("conversation.closed", { conversation: newer, by: null }));
  expect(threads.getConversation(50)?.mode).toBe("closed");
});

test("an event becomes a history entry once", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  const event = buildEvent("conversation.transferred", {
    by: { id: 7, name: "Alex" },
    operator: { id: 8, name: "Sam" },
  });
  threads.applyThreadEvent(event);
  threads.applyThreadEvent(event);
  expect(threads.getThread(50)?.history).toEqual([
    { at: event.at, action: "transferred", by: { id: 7, name: "Alex" }, to: { id: 8, name: "Sam" } },
  ]);
});

test("an assignment and a transfer to a team become history entries of their own", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  const operator = { id: 8, name: "Sam" };
  threads.applyThreadEvent(
    buildEvent("conversation.accepted", { by: null, operator, reason: "round_robin" }),
  );
  const conversation = buildConversation({ version: 6, mode: "pending", team_id: 3 });
  const by = { id: 8, name: "Sam" };
  threads.applyThreadEvent(buildEvent("conversation.pending", { by, conversation, reason: "transferred" }));
  const [assigned, transferred] = threads.getThread(50)?.history ?? [];
  expect(assigned).toMatchObject({ action: "assigned", by: null, to: operator, reason: "round_robin" });
  expect(transferred).toMatchObject({ action: "transferred_to_team", by, team: { id: 3 } });
});

test("an undone change is distinguished from a reopening and a transfer", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  for (const [minute, type] of ["conversation.reopened", "conversation.transferred"].entries()) {
    const event = buildEvent(type, {
      conversation: buildConversation(),
      by: { id: 8, name: "Sam" },
      reason: "undone",
    });
    threads.applyThreadEvent({ ...event, at: `2026-01-01T12:0${minute}:00Z` });
  }
  expect(threads.getThread(50)?.history.map(({ action }) => action)).toEqual(["restored", "restored"]);
});

test("a transcript that was sent is in the history at once", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  const by = { id: 8, name: "Sam" };
  const sent = { by, reason: "other", history_action: "transcript_sent" };
  threads.applyThreadEvent(buildEvent("conversation.updated", sent));
  threads.applyThreadEvent(buildEvent("conversation.updated", { ...sent, history_action: null }));
  expect(threads.getThread(50)?.history).toMatchObject([{ action: "transcript_sent", by }]);
});

test("an operator's timeout is distinguished from a release", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  threads.applyThreadEvent(buildEvent("conversation.released", { by: null, reason: "operator_timeout" }));
  expect(threads.getThread(50)?.history[0]?.action).toBe("timed_out");
});

test("a note is added once", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  const note = {
    id: 9,
    content: "VIP",
    author: { id: 7, name: "Alex" },
    created_at: "2026-01-01T12:00:00Z",
    mentions: [],
  };
  threads.addNote(50, note);
  threads.applyThreadEvent(buildEvent("note.created", { note }));
  expect(threads.getThread(50)?.notes).toEqual([note]);
});

test("an event of a conversation that was not opened changes nothing", () => {
  threads.applyThreadEvent(buildEvent("message.created", buildMessage(1)));
  expect(threads.getThread(50)).toBeUndefined();
});

test("after a reset the open conversation stays visible while it is fetched again", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  serve(buildDetail(messages(1, 2)));
  threads.invalidateThreads(50);
  expect(seqs()).toEqual([1]);
  await settle();
  expect(seqs()).toEqual([1, 2]);
});

test("after a reset the other conversations are fetched when they are next opened", async () => {
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  threads.invalidateThreads(undefined);
  expect(threads.getThread(50)).toBeUndefined();
});

test("a failed fetch is shown, unless the conversation is already there", async () => {
  server.on("GET", PATH, () => failure(404, "conversation_not_found"));
  await threads.loadThread(50);
  expect(threads.getLoadFailure(50)).toMatchObject({ notFound: true });
  serve(buildDetail(messages(1)));
  await threads.loadThread(50);
  server.on("GET", PATH, () => failure(503, "unavailable"));
  await threads.loadThread(50);
  expect(threads.getLoadFailure(50)).toBeUndefined();
  expect(seqs()).toEqual([1]);
});

test("only the most recent conversations are kept", async () => {
  for (let id = 1; id <= 31; id += 1) {
    server.on("GET", `/operator/conversation/${id}`, () =>
      json({ conversation: buildDetail([buildMessage(1, { conversation_id: id })], { id }) }),
    );
    await threads.loadThread(id);
  }
  expect([threads.getThread(1), threads.getThread(2)?.messages.length]).toEqual([undefined, 1]);
});
