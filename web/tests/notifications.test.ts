/** Notifications: one tab chimes, nothing of a visitor turns the text around it, blocked sound is said. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildConversation, buildEvent } from "./builders";
import { logIn } from "./sessions";

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  logIn();
});

afterEach(() => {
  vi.useRealTimers();
});

const loadPage = async () => {
  vi.resetModules();
  return import("../panel/src/notifications/notifications");
};

const OVERRIDE = "\u202e";

test("of several tabs the fittest claims a notification, and no other", async () => {
  const { claim } = await import("../panel/src/notifications/claims");
  const claims = [claim("sound 1", "hidden"), claim("sound 1", "visible"), claim("sound 1", "focused")];
  await vi.advanceTimersByTimeAsync(1000);
  expect(await Promise.all(claims)).toEqual([false, false, true]);
  const next = claim("sound 2", "hidden");
  await vi.advanceTimersByTimeAsync(1000);
  expect(await next).toBe(true);
});

test("a direction override in a name or a text stays in its place", async () => {
  const { toNotice } = await loadPage();
  const visitor = { ...buildConversation().visitor, name: `${OVERRIDE}moc.knab` };
  const pending = buildConversation({ mode: "pending", operator: null, visitor });
  const waiting = toNotice(buildEvent("conversation.pending", { conversation: pending }));
  expect(waiting?.text).toMatch(/^\u2068moc\.knab\u2069 on /);
  const conversation = buildConversation({ visitor });
  const message = toNotice(
    buildEvent("message.created", {
      conversation,
      role: "visitor",
      content: `hello \u2067there ${OVERRIDE}x`,
    }),
  );
  expect([message?.title, message?.text]).toEqual(["\u2068moc.knab\u2069", "\u2068hello there x\u2069"]);
});

test("plain names stay as they are, right-to-left ones are isolated, emoji are not cut in half", async () => {
  const { isolate, shorten } = await import("../panel/src/components/isolate");
  expect([isolate("Ann Smith"), isolate("דנה")]).toEqual(["Ann Smith", "\u2068דנה\u2069"]);
  expect([shorten("👩‍👩‍👧‍👦👍🏽!", 2), shorten("short", 140)]).toEqual(["👩‍👩‍👧‍👦👍🏽…", "short"]);
});

/** An AudioContext as browsers without a click have it. */
class BlockedAudio extends EventTarget {
  static notes = 0;
  state: AudioContextState = "suspended";
  currentTime = 0;
  destination = {};
  onstatechange: (() => void) | null = null;

  resume(): Promise<void> {
    if (!clicked) return new Promise(() => undefined);
    this.state = "running";
    this.onstatechange?.();
    return Promise.resolve();
  }

  createGain() {
    const gain = { setValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect: () => ({}) };
  }

  createOscillator() {
    BlockedAudio.notes += 1;
    return { frequency: {}, connect: (next: unknown) => next, start() {}, stop() {} };
  }
}

let clicked = false;

test("blocked sound is said, and the first click brings it back", async () => {
  clicked = false;
  BlockedAudio.notes = 0;
  vi.stubGlobal("AudioContext", BlockedAudio);
  vi.resetModules();
  const sound = await import("../panel/src/notifications/sound");
  const stop = sound.watchSound();
  await vi.advanceTimersByTimeAsync(2000);
  void sound.playSound("waiting");
  await vi.advanceTimersByTimeAsync(2000);
  expect([sound.soundBlocked.value, sound.canPlay(), BlockedAudio.notes]).toEqual([true, false, 0]);
  clicked = true;
  dispatchEvent(new Event("pointerdown"));
  await vi.advanceTimersByTimeAsync(0);
  expect([sound.soundBlocked.value, sound.canPlay(), BlockedAudio.notes]).toEqual([false, true, 0]);
  void sound.playSound("waiting");
  await vi.advanceTimersByTimeAsync(0);
  expect(BlockedAudio.notes).toBe(2);
  stop();
});

test("a chat that waits for a team notifies its members, and one that is assigned its operator", async () => {
  logIn(7, false);
  const { toNotice } = await loadPage();
  const { teams } = await import("../panel/src/teams/teams");
  const { me } = await import("../panel/src/session/session");
  const team = { id: 3, name: "Billing", site_ids: [1], created_at: "", updated_at: "" };
  const waiting = buildConversation({ mode: "pending", operator: null, team_id: 3 });
  const event = buildEvent("conversation.pending", { conversation: waiting });
  teams.value = [{ ...team, operator_ids: [999] }];
  expect(toNotice(event)).toBeUndefined();
  teams.value = [{ ...team, operator_ids: [me.value?.id ?? 0] }];
  expect(toNotice(event)?.sound).toBe("waiting");
  const operator = { id: me.value?.id ?? 0, name: "Alex" };
  const conversation = buildConversation({ operator });
  const assigned = buildEvent("conversation.accepted", { conversation, operator, reason: "least_busy" });
  expect(toNotice(assigned)?.title).toBe("Chat assigned to you");
});
