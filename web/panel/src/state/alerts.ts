/** What makes an operator look up: a sound, a number on the tab, a notification of the desktop. */
import { effect } from "@preact/signals";
import type { Conversation, LiveEvent } from "../../../shared/views";
import { attention, isMine, visitorName } from "./chats";
import { desktop, sounds } from "./prefs";
import { go, route } from "./route";
import { siteById, siteName } from "./sites";

let audio: AudioContext | undefined;
let lastChime = 0;

/** Two soft notes; rising for somebody new in the queue. Browsers allow it once the page was clicked. */
export function chime(kind: "message" | "waiting"): void {
  // What was missed during a cut comes all at once; one sound is enough for it.
  if (Date.now() - lastChime < 1500) return;
  lastChime = Date.now();
  try {
    audio ??= new AudioContext();
    const start = audio.currentTime;
    const notes = kind === "waiting" ? [587, 880] : [740, 660];
    notes.forEach((pitch, index) => {
      note(audio as AudioContext, pitch, start + index * 0.13);
    });
  } catch {
    // No sound on this machine.
  }
}

function note(context: AudioContext, pitch: number, at: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.28);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.3);
}

/** Whether the operator is looking at a conversation at this moment. */
export function lookingAt(conversation: number): boolean {
  const shown = route.value;
  return document.hasFocus() && shown.screen === "chats" && shown.conversation === conversation;
}

/** Calls the operator where an event is for them. */
export function alert(event: LiveEvent): void {
  const row = event.data["conversation"] as Conversation | undefined;
  if (!row) return;
  if (event.type === "conversation.pending") {
    // The site wants nobody called: who waits is found in the queue.
    if (siteById.value.get(row.site_id)?.routing === "manual") return;
    call("waiting", row, "Somebody is waiting", `${visitorName(row)} on ${siteName(row.site_id)}`);
  } else if (event.type === "conversation.transferred" && isMine(row)) {
    call("waiting", row, "A chat was passed to you", visitorName(row));
  } else if (event.type === "message.created" && event.data["role"] === "visitor" && isMine(row)) {
    call("message", row, visitorName(row), String(event.data["content"] || "sent an image"));
  }
}

function call(kind: "message" | "waiting", row: Conversation, title: string, text: string): void {
  if (kind === "message" && lookingAt(row.id)) return;
  if (sounds.value) chime(kind);
  if (!desktop.value || document.hasFocus() || !("Notification" in window)) return;
  if (Notification.permission !== "granted") return;
  try {
    const shown = new Notification(title, { body: text.slice(0, 140), tag: `parley-${row.id}` });
    shown.onclick = () => {
      window.focus();
      go("chats", row.id);
      shown.close();
    };
  } catch {
    // Phones want a service worker for this.
  }
}

/** Keeps the number on the tab and on the app's icon. */
export function watchBadge(): () => void {
  return effect(() => {
    const { waiting, mine } = attention.value;
    const total = waiting + mine;
    document.title = total ? `(${total}) Parley` : "Parley";
    const app = navigator as Navigator & { setAppBadge?: (n?: number) => Promise<void> };
    app.setAppBadge?.(total).catch(() => undefined);
  });
}
