/** The widget's state: what a visitor writes is sent once, and what was missed is fetched. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EmbedConfig } from "../widget/src/embedConfig";
import type { WidgetStore } from "../widget/src/widgetStore";
import { buildMessage } from "./builders";
import { FakeServer, FakeStream, failure, json, networkError } from "./fakeServer";
import { installTabs, uninstallTabs } from "./fakeTabs";

const EMBED = {
  origin: "http://parley.test",
  siteKey: "pk_1",
  sessionId: "s".repeat(32),
  colour: "",
  position: "",
  launcher: "",
  language: "en",
};

let server: FakeServer;
let streams: FakeStream[];
let history: object;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  installTabs({ locks: false, channel: false });
  server = new FakeServer();
  streams = [];
  history = {
    messages: [],
    conversation_id: null,
    mode: null,
    operator: null,
    operator_read_seq: 0,
    visitor: {},
  };
  server.on("GET", "/chat/events", () => {
    const stream = new FakeStream();
    streams.push(stream);
    return stream.response;
  });
  server.on("GET", "/chat/history", () => json(history));
  server.on("GET", "/chat/config", () => json({ name: "Shop", welcome: "", colours: {} }));
});

afterEach(() => {
  uninstallTabs();
  vi.useRealTimers();
});

/** The widget as a page loads it. Loading it again is the next page. */
const loadPage = async (embed: Partial<EmbedConfig> = {}) => {
  vi.clearAllTimers();
  vi.resetModules();
  const { WidgetStore } = await import("../widget/src/widgetStore");
  return new WidgetStore({ ...EMBED, ...embed });
};

const rateChat = async (store: WidgetStore, score: number, comment: string) =>
  (await import("../widget/src/forms/ratingForm")).rate(store, score, comment);
const run = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const sent = () => server.to("POST", "/chat/stream").map(({ body }) => body as Record<string, string>);

function reply(...events: object[]): Response {
  const stream = new FakeStream();
  for (const event of events) stream.write(`data: ${JSON.stringify(event)}\n\n`);
  stream.close();
  return stream.response;
}

const done = { type: "done", meta: { conversation_id: 50, mode: "ai" } };

test("a visitor who never wrote loads nothing", async () => {
  await loadPage();
  await run(60_000);
  expect(server.requests).toEqual([]);
});

test("a message is sent again with the same id until the server has it", async () => {
  let failures = 2;
  server.on("POST", "/chat/stream", () => (failures-- > 0 ? networkError() : reply(done)));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  expect(store.outgoing.value).toMatchObject([{ text: "Hello", state: "waiting" }]);
  await run(60_000);
  expect(new Set(sent().map(({ message_id }) => message_id)).size).toBe(1);
  expect(sent()).toHaveLength(3);
});

test("an unsent message is sent from the next page", async () => {
  server.on("POST", "/chat/stream", networkError);
  (await loadPage()).sendMessage("Hello");
  await run();
  const key = sent()[0]?.["message_id"];
  server.requests.length = 0;
  server.on("POST", "/chat/stream", () => reply(done));
  await loadPage();
  await run();
  expect(sent()).toMatchObject([{ message: "Hello", message_id: key }]);
});

test("a chosen quick reply names its message, also when it is sent from the next page", async () => {
  server.on("POST", "/chat/stream", networkError);
  (await loadPage()).sendMessage("Small", "", null, { replyTo: 7 });
  await run();
  server.on("POST", "/chat/stream", () => reply(done));
  await loadPage();
  await run();
  expect(sent().at(-1)).toMatchObject({ message: "Small", reply_to: 7 });
});

test("a message of the page opens the form that comes first, and is sent after it", async () => {
  let form: object | null = { title: "", intro: "", fields: [], departments: [], consent: null };
  server.on("GET", "/chat/config", () => json({ name: "Shop", colours: {}, prechat_form: form }));
  server.on("POST", "/chat/form", () => {
    form = null;
    return json({});
  });
  server.on("POST", "/chat/stream", () => reply(done));
  const store = await loadPage();
  void store.sendForPage("Where is my order?");
  await run();
  expect([store.open.value, store.form.value]).toEqual([true, "prechat"]);
  expect(store.outgoing.value).toMatchObject([{ text: "Where is my order?", state: "waiting" }]);
  expect(sent(), "the server would refuse it").toEqual([]);
  // On the next page it still waits, and the window stays as the visitor left it.
  store.hide();
  const next = await loadPage();
  await run();
  expect([next.open.value, sent()]).toEqual([false, []]);
  await next.submitForm("prechat", { answers: {}, message: "" }, "m1");
  await run();
  expect(sent()).toMatchObject([{ message: "Where is my order?" }]);
});

test("a message of the page leaves the window closed where no form comes first", async () => {
  server.on("POST", "/chat/stream", () => reply(done));
  const store = await loadPage();
  void store.sendForPage("Hello");
  await run();
  expect([store.open.value, sent().length]).toEqual([false, 1]);
});

test.each([
  ["is left with the form that replaces the chat", "", "Where is my order?"],
  ["does not replace what is typed in the form", "My own question", "My own question"],
])("a message of the page %s", async (_name, typed, expected) => {
  const offline_form = { title: "", intro: "", fields: [], departments: [], consent: null };
  server.on("GET", "/chat/config", () =>
    json({ name: "Shop", colours: {}, offline_form: { ...offline_form, replaces_chat: true } }),
  );
  const store = await loadPage();
  const key = store.formKey("offline");
  if (typed) localStorage.setItem(key, JSON.stringify({ values: { "-message": typed }, messageId: "m1" }));
  void store.sendForPage("Where is my order?");
  await run();
  expect([store.open.value, store.form.value, store.outgoing.value]).toEqual([true, "offline", []]);
  expect(sent(), "nobody chats now").toEqual([]);
  const { values } = JSON.parse(localStorage.getItem(key) ?? "{}");
  expect(values).toEqual({ "-message": expected });
});

test("a message that waits for a form is sent when the site asks for none any more", async () => {
  let form: object | null = { title: "", intro: "", fields: [], departments: [], consent: null };
  server.on("GET", "/chat/config", () => json({ name: "Shop", colours: {}, prechat_form: form }));
  server.on("POST", "/chat/stream", () => reply(done));
  const store = await loadPage();
  void store.sendForPage("Hello");
  await run();
  store.hide();
  form = null;
  store.show();
  await run();
  expect(sent()).toMatchObject([{ message: "Hello" }]);
});

test("the choice of no sound is remembered", async () => {
  const store = await loadPage();
  expect(store.sound.value).toBe(true);
  store.toggleSound();
  expect((await loadPage()).sound.value).toBe(false);
});

test("a sent message is shown until its stored message arrives, and is never there twice", async () => {
  server.on("POST", "/chat/stream", () => reply(done));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  expect(store.outgoing.value).toMatchObject([{ text: "Hello", state: "sent" }]);
  streams[0]?.event("ready", "1-0");
  const message = buildMessage(1, { content: "Hello", message_id: sent()[0]?.["message_id"] ?? "" });
  streams[0]?.event("message", "1-1", { type: "message.created", conversation_id: 50, data: message });
  await run();
  expect([store.outgoing.value.length, store.messages.value.length]).toEqual([0, 1]);
});

test("a reply grows piece by piece and is replaced by the stored message", async () => {
  server.on("POST", "/chat/stream", () =>
    reply(
      { type: "chunk", content: "We are " },
      { type: "chunk", content: "open." },
      {
        ...done,
        meta: { ...done.meta, answer_id: 1002 },
      },
    ),
  );
  const store = await loadPage();
  store.sendMessage("Open?");
  await run();
  expect([...store.partialReplies.value.values()]).toEqual(["We are open."]);
  // The live stream brings nothing: the widget fetches what the reply's stream has announced.
  history = {
    ...history,
    conversation_id: 50,
    mode: "ai",
    messages: [
      buildMessage(1, { content: "Open?", message_id: sent()[0]?.["message_id"] ?? "" }),
      buildMessage(2, { role: "ai", content: "We are open." }),
    ],
  };
  await run(2_000);
  expect(store.partialReplies.value.size).toBe(0);
  expect(store.outgoing.value).toEqual([]);
  expect(store.messages.value.map(({ content }) => content)).toEqual(["Open?", "We are open."]);
});

test("a refused message stays and can be sent again", async () => {
  server.on("POST", "/chat/stream", () => failure(422, "too_long"));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  const [message] = store.outgoing.value;
  expect(message).toMatchObject({ state: "failed", error: "Refused: too_long" });
  server.on("POST", "/chat/stream", () => reply(done));
  store.retry(message?.key ?? "");
  await run();
  expect(store.outgoing.value).toMatchObject([{ state: "sent" }]);
});

test("a blocked visitor gets a notice", async () => {
  server.on("POST", "/chat/stream", () => failure(403, "visitor_blocked"));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  expect(store.blocked.value).toBe(true);
});

test("what was missed while disconnected is resumed by the last event's id", async () => {
  const store = await loadPage();
  store.show();
  await run();
  streams[0]?.event("ready", "4-2");
  await run();
  streams[0]?.close();
  await run(2_000);
  const ids = server.to("GET", "/chat/events").map(({ url }) => url.searchParams.get("last_event_id"));
  expect(ids).toEqual([null, "4-2"]);
});

test("a draft is there on the next page", async () => {
  (await loadPage()).setDraft("Half a sentence");
  expect((await loadPage()).draft.value).toBe("Half a sentence");
});

/** The page of a visitor with a conversation, who opens the chat. */
async function openChat() {
  const store = await loadPage();
  store.show();
  await run();
  streams.at(-1)?.event("ready", "1-0");
  await run();
  return store;
}

/** What another tab has written to the storage. */
function storeInOtherTab(name: string, value: string): void {
  localStorage.setItem(`parley:pk_1:${name}`, value);
  dispatchEvent(Object.assign(new Event("storage"), { key: `parley:pk_1:${name}`, newValue: value }));
}

test("what was read, written or rated in another tab is so in this one", async () => {
  const answer = buildMessage(2, { role: "operator", content: "Hello" });
  history = { ...history, conversation_id: 50, mode: "operator", messages: [answer] };
  localStorage.setItem("parley:pk_1:known", "1");
  localStorage.setItem("parley:pk_1:seen", new Date(0).toISOString());
  const store = await loadPage();
  await run();
  streams[0]?.event("ready", "1-0");
  await run();
  expect([store.unread.value, store.teaser.value]).toEqual([1, "Hello"]);
  storeInOtherTab("seen", answer.created_at);
  storeInOtherTab("draft", "half");
  storeInOtherTab("rated", "50");
  expect([store.unread.value, store.draft.value, store.isRated.value]).toEqual([0, "half", true]);
});

test("a teaser is dismissed until the next message, and what is new is marked when the window opens", async () => {
  const answer = buildMessage(2, { role: "operator", content: "Hello" });
  history = { ...history, conversation_id: 50, mode: "operator", messages: [buildMessage(1), answer] };
  localStorage.setItem("parley:pk_1:known", "1");
  localStorage.setItem("parley:pk_1:seen", buildMessage(1).created_at);
  const store = await loadPage();
  await run();
  streams[0]?.event("ready", "1-0");
  await run();
  expect(store.teaser.value).toBe("Hello");
  store.dismissTeaser();
  expect([store.teaser.value, store.unread.value]).toEqual(["", 1]);
  const next = buildMessage(3, { role: "operator", content: "Are you there?" });
  streams[0]?.event("message.created", "1-1", { type: "message.created", conversation_id: 50, data: next });
  await run();
  expect([store.teaser.value, store.unread.value]).toEqual(["Are you there?", 2]);
  store.show();
  expect(store.firstNew.value).toBe(answer.id);
});

test("a closed chat is rated once: not on the next page, and the next chat again", async () => {
  history = { ...history, conversation_id: 50, mode: "closed", messages: [buildMessage(1)] };
  localStorage.setItem("parley:pk_1:known", "1");
  server.on("POST", "/chat/rate", () => json({}));
  const store = await openChat();
  expect(store.isRated.value).toBe(false);
  await rateChat(store, 5, "");
  expect(store.isRated.value).toBe(true);
  expect((await openChat()).isRated.value).toBe(true);
  history = { ...history, conversation_id: 51 };
  expect((await openChat()).isRated.value).toBe(false);
  expect(server.to("POST", "/chat/rate").map(({ body }) => body)).toMatchObject([
    { score: 5, conversation_id: 50 },
  ]);
});

test("a rating that failed is asked for again, and its error can be dismissed", async () => {
  history = { ...history, conversation_id: 50, mode: "closed", messages: [buildMessage(1)] };
  localStorage.setItem("parley:pk_1:known", "1");
  server.on("POST", "/chat/rate", () => failure(409, "conflict"));
  const store = await openChat();
  await rateChat(store, 5, "");
  expect([store.isRated.value, store.error.value]).toEqual([false, expect.stringMatching(/./)]);
  store.dismissError();
  expect(store.error.value).toBe("");
});

test("an upload that the server has no room for is tried again when it says so", async () => {
  let busy = 1;
  server.on("POST", "/chat/upload-image", () =>
    busy-- > 0 ? failure(429, "too_many_requests", { "Retry-After": "3" }) : json({ url: "/uploads/a.png" }),
  );
  server.on("POST", "/chat/stream", () => reply(done));
  const store = await loadPage();
  // Loading a part takes time that is not on the simulated clock.
  await import("../widget/src/composer/uploads");
  void store.sendImage(new File(["x"], "a.png", { type: "image/png" }));
  await run(2900);
  expect(server.to("POST", "/chat/upload-image")).toHaveLength(1);
  await run(500);
  expect(server.to("POST", "/chat/upload-image")).toHaveLength(2);
  expect(sent()).toMatchObject([{ image_url: "/uploads/a.png" }]);
});

test("an image whose upload is cancelled is not sent", async () => {
  let answer: (response: Response) => void = () => undefined;
  server.on("POST", "/chat/upload-image", () => new Promise((resolve) => (answer = resolve)));
  const store = await loadPage();
  await import("../widget/src/composer/uploads");
  const sending = store.sendImage(new File(["x"], "a.png", { type: "image/png" }));
  await run();
  store.uploading.value?.cancel();
  await sending;
  expect([store.uploading.value, store.error.value]).toEqual([null, ""]);
  answer(json({ url: "/uploads/a.png" }));
  await run();
  expect(store.outgoing.value).toEqual([]);
});

test("a history that the network has lost is fetched again", async () => {
  localStorage.setItem("parley:pk_1:known", "1");
  let isAway = true;
  server.on("GET", "/chat/history", () => (isAway ? networkError() : json(history)));
  history = { ...history, messages: [buildMessage(1)], conversation_id: 50, mode: "ai" };
  const store = await loadPage();
  await run();
  streams[0]?.event("ready", "1");
  await run(10);
  isAway = false;
  await run(3000);
  expect(store.messages.value).toHaveLength(1);
});

test("earlier messages that cannot be fetched are reported", async () => {
  const store = await loadPage();
  server.on("GET", "/chat/history", networkError);
  await store.loadOlder();
  expect(store.error.value).not.toBe("");
});

test("a request that the ended session refuses is repeated by the one that takes over", async () => {
  server.on("POST", "/chat/email", () => failure(401, "session_ended"));
  server.on("POST", "/chat/rate", () => failure(422, "invalid"));
  const store = await loadPage();
  const { saveEmail } = await import("../widget/src/forms/emailForm");
  await saveEmail(store, "jane@example.com", "");
  await rateChat(store, 5, "");
  const { unfinished } = store;
  store.close();
  server.on("POST", "/chat/email", () => json({}));
  const next = await loadPage();
  for (const action of unfinished) await next.begin(action);
  expect(next.email.value).toBe("jane@example.com");
  expect([server.to("POST", "/chat/email").length, server.to("POST", "/chat/rate").length]).toEqual([2, 1]);
  expect(next.unfinished).toEqual([]);
});

test("a message of another session, stored late by another tab, is neither shown nor sent", async () => {
  server.on("POST", "/chat/stream", () => networkError());
  const store = await loadPage();
  store.sendMessage("The secret");
  store.close();
  const entries = Object.entries(localStorage).filter(([name]) => name.includes("outbox"));
  expect(entries).toHaveLength(1);
  server.on("POST", "/chat/stream", () => reply(done));
  const isStored = () => Object.keys(localStorage).some((name) => name.includes("outbox"));

  const next = await loadPage({ sessionId: "n".repeat(32) });
  await run(5000);
  expect([next.outgoing.value, sent().length, isStored()]).toEqual([[], 1, false]);

  for (const [key, newValue] of entries) {
    localStorage.setItem(key, newValue);
    window.dispatchEvent(new StorageEvent("storage", { key, newValue, storageArea: localStorage }));
  }
  await run(5000);
  expect([next.outgoing.value, sent().length, isStored()]).toEqual([[], 1, false]);
});

test("the session that continues another sends what was written in it", async () => {
  server.on("POST", "/chat/stream", () => networkError());
  const store = await loadPage();
  store.sendMessage("Written before");
  store.close();
  const continued = { sessionId: "n".repeat(32), previousSessionId: EMBED.sessionId };
  (await loadPage(continued)).close();
  server.on("POST", "/chat/stream", () => reply(done));
  // On the page after, which knows nothing of the previous session.
  await loadPage({ sessionId: continued.sessionId });
  await run(5000);
  const after = sent().filter(({ session_id }) => session_id === continued.sessionId);
  expect(after.at(-1)).toMatchObject({ message: "Written before" });
});

test("a message that the ended session refuses is not stored again", async () => {
  let refuse: ((response: Response) => void) | undefined;
  server.on("POST", "/chat/stream", () => new Promise((resolve) => (refuse = resolve)));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  store.close();
  // The logout clears what is stored.
  localStorage.clear();
  refuse?.(failure(401, "session_ended"));
  await run();
  store.sendMessage("", "/uploads/late.png");
  expect(Object.keys(localStorage)).toEqual([]);
});

test("a busy server is asked again, and the visitor sees why they wait", async () => {
  const refusals = new Map<string, number>();
  const busyAtFirst = (name: string, answer: () => Response) => () => {
    const count = (refusals.get(name) ?? 0) + 1;
    refusals.set(name, count);
    return count > 2 ? answer() : failure(503, "unavailable", { "Retry-After": "2" });
  };
  const message = buildMessage(1);
  history = { ...history, conversation_id: 50, mode: "ai", messages: [message] };
  server.on(
    "GET",
    "/chat/config",
    busyAtFirst("config", () => json({ name: "Shop", welcome: "", colours: {} })),
  );
  server.on(
    "GET",
    "/chat/history",
    busyAtFirst("history", () => json(history)),
  );
  server.on(
    "POST",
    "/chat/stream",
    busyAtFirst("stream", () => reply(done)),
  );
  server.on(
    "POST",
    "/chat/handoff",
    busyAtFirst("handoff", () => json({ mode: "pending", conversation_id: 50 })),
  );
  localStorage.setItem("parley:pk_1:known", "1");
  const store = await loadPage();
  store.show();
  await run();
  streams[0]?.event("ready", "1-0");
  store.sendMessage("Hello");
  void store.requestHandoff();
  await run();
  const busy = "Many people are writing. Trying again…";
  expect(store.outgoing.value).toMatchObject([{ state: "waiting", error: busy }]);
  expect(store.error.value).toBe(busy);
  await run(10_000);
  expect(store.config.value?.name).toBe("Shop");
  expect(store.messages.value).toMatchObject([message]);
  expect([store.outgoing.value[0]?.state, store.error.value]).toEqual(["sent", ""]);
  expect(server.to("POST", "/chat/handoff")).toHaveLength(3);
});

test("a response that is late does not undo the request for a person", async () => {
  const stream = new FakeStream();
  server.on("POST", "/chat/stream", () => stream.response);
  server.on("POST", "/chat/handoff", () => json({ mode: "pending", conversation_id: 50 }));
  const store = await loadPage();
  store.sendMessage("Hello");
  await run();
  await store.requestHandoff();
  expect(store.mode.value).toBe("pending");
  stream.write(`data: ${JSON.stringify(done)}\n\n`);
  stream.close();
  await run();
  expect(store.mode.value).toBe("pending");
});

test("the page learns what is new, once, and nothing of before", async () => {
  const events: unknown[] = [];
  server.on("POST", "/chat/rate", () => json({}));
  const old = buildMessage(1, { content: "Hello" });
  history = { ...history, conversation_id: 50, mode: "pending", messages: [old] };
  localStorage.setItem("parley:pk_1:known", "1");
  const { WidgetStore } = await import("../widget/src/widgetStore");
  const store = new WidgetStore(EMBED, undefined, (name, detail) => events.push([name, detail]));
  await run();
  const [stream] = streams;
  stream?.event("ready", "1-0");
  await run();
  expect(events).toEqual([]);
  const answer = buildMessage(2, { role: "operator", content: "Hi", sender: { id: 7, name: "Ann" } });
  const send = (id: string, type: string, data: object) =>
    stream?.event(type, id, { type, conversation_id: 50, data });
  send("1-1", "conversation.accepted", { mode: "operator", operator: { id: 7, name: "Ann" } });
  send("1-2", "message.created", answer);
  send("1-3", "conversation.closed", { mode: "closed", operator: null });
  await run();
  // What the live stream did not bring is fetched.
  const late = buildMessage(3, { role: "system", content: "Closed" });
  history = { ...history, mode: "closed", messages: [old, answer, late] };
  stream?.event("reset", "1-4");
  await run();
  await rateChat(store, 4, "Fine");
  expect(events).toEqual([
    ["accepted", { operator: "Ann" }],
    ["message", { role: "operator", text: "Hi", name: "Ann", at: answer.created_at }],
    ["closed", {}],
    ["message", { role: "system", text: "Closed", name: null, at: late.created_at }],
    ["rating", { score: 4, comment: "Fine" }],
  ]);
});

test("a text of the page does not replace what the visitor has begun", async () => {
  const store = await loadPage();
  store.prefill("About order 1");
  store.prefill("About order 2");
  expect(store.draft.value).toBe("About order 2");
  store.setDraft("Something else");
  store.prefill("About order 3");
  expect(store.draft.value).toBe("Something else");
});

test("the session is in no URL", async () => {
  const store = await loadPage();
  store.show();
  await run();
  expect(server.requests.filter(({ url }) => url.href.includes(EMBED.sessionId))).toEqual([]);
  expect(server.to("GET", "/chat/events")[0]?.headers.get("X-Parley-Session")).toBe(EMBED.sessionId);
});

test.each([
  ["the form is switched off", 409, "form_off", ""],
  ["it could not be left", 503, "unavailable", "strings"],
])(
  "a message that was written while nobody was there goes into the chat when %s",
  async (_name, status, code, error) => {
    const config = { name: "Shop", welcome: "", colours: {} };
    const offline_form = {
      title: "",
      intro: "",
      fields: [],
      departments: [],
      consent: null,
      replaces_chat: true,
    };
    server.on("GET", "/chat/config", () => json({ ...config, offline_form }));
    const store = await loadPage();
    await store.loadConfig();
    expect(store.form.value).toBe("offline");
    const typed = {
      values: { "-message": "When does it arrive?", email: "jane@example.com" },
      messageId: "m1",
    };
    localStorage.setItem(store.formKey("offline"), JSON.stringify(typed));
    server.on("GET", "/chat/config", () => json(config));
    server.on("POST", "/chat/offline-form", () => failure(status, code));
    const answers = { message: "When does it arrive?", answers: {} };
    const submitted = store.submitForm("offline", answers, "m1").catch(({ code }) => code);
    await run(60_000);
    expect(await submitted).toBe(code);
    expect([store.form.value, store.draft.value]).toEqual([null, "When does it arrive?"]);
    expect(store.error.value !== "").toBe(error !== "");
    const kept = JSON.parse(localStorage.getItem(store.formKey("offline")) ?? "");
    expect(kept).toEqual({ values: { email: "jane@example.com" } });
  },
);

test("a quick reply that was chosen next to the button is sent when the window opens, once and at once only", async () => {
  server.on("POST", "/chat/stream", () => reply(done));
  const trigger = {
    id: 7,
    message: "Need help?",
    quick_replies: [{ label: "Prices", value: null, url: null }],
  };
  const choose = () => {
    const chosen = { text: "Prices", at: Date.now() };
    localStorage.setItem("parley:pk_1:trigger", JSON.stringify({ ...trigger, at: Date.now(), chosen }));
  };
  choose();
  const store = await loadPage();
  store.show();
  await run();
  store.hide();
  store.show();
  await run(100);
  expect(sent()).toMatchObject([{ message: "Prices", trigger_id: 7, reply_to: 1 }]);
  choose();
  await run(61_000);
  store.show();
  await run(100);
  expect(sent()).toHaveLength(1);
});
