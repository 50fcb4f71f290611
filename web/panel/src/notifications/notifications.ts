/** Notifies the operator: a sound, a number on the tab, a desktop notification. */
import { effect } from "@preact/signals";
import type { Conversation, LiveEvent } from "../../../shared/apiTypes";
import { attentionCounts, isMine, visitorName } from "../inbox/conversations";
import { navigate, route } from "../navigation/route";
import { desktopNotifications, soundEnabled } from "../settings/preferences";
import { getSiteName, sitesById } from "../sites/sites";

type Sound = "message" | "waiting";

const MIN_SOUND_INTERVAL_MS = 1500;
const MAX_BODY_CHARACTERS = 140;
const PITCHES_HZ: Record<Sound, number[]> = { waiting: [587, 880], message: [740, 660] };

let audio: AudioContext | undefined;
let lastSoundAt = 0;

/** Plays two short notes. Browsers allow sound only after the page has been clicked. */
export function playSound(sound: Sound): void {
  // After a lost connection many events arrive at once: one sound is enough.
  if (Date.now() - lastSoundAt < MIN_SOUND_INTERVAL_MS) return;
  lastSoundAt = Date.now();
  try {
    audio ??= new AudioContext();
    const context = audio;
    PITCHES_HZ[sound].forEach((pitch, index) => {
      playNote(context, pitch, context.currentTime + index * 0.13);
    });
  } catch {
    // This machine has no audio output.
  }
}

function playNote(context: AudioContext, pitchHz: number, atSeconds: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = pitchHz;
  volume.gain.setValueAtTime(0.0001, atSeconds);
  volume.gain.exponentialRampToValueAtTime(0.12, atSeconds + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, atSeconds + 0.28);
  tone.connect(volume).connect(context.destination);
  tone.start(atSeconds);
  tone.stop(atSeconds + 0.3);
}

/** Whether the operator sees a conversation at this moment. */
function isViewing(conversation: number): boolean {
  const current = route.value;
  return document.hasFocus() && current.page === "chats" && current.conversation === conversation;
}

/** Notifies the operator of an event that concerns them. */
export function notifyEvent(event: LiveEvent): void {
  const conversation = event.data["conversation"] as Conversation | undefined;
  if (!conversation) return;
  const name = visitorName(conversation);
  if (event.type === "conversation.pending") {
    // With manual routing nobody is notified: operators look into the inbox.
    if (sitesById.value.get(conversation.site_id)?.routing === "manual") return;
    notify("waiting", conversation, "Visitor waiting", `${name} on ${getSiteName(conversation.site_id)}`);
  } else if (event.type === "conversation.transferred" && isMine(conversation)) {
    notify("waiting", conversation, "Chat transferred to you", name);
  } else if (event.type === "message.created" && event.data["role"] === "visitor" && isMine(conversation)) {
    notify("message", conversation, name, String(event.data["content"] || "sent an image"));
  }
}

function notify(sound: Sound, conversation: Conversation, title: string, text: string): void {
  if (sound === "message" && isViewing(conversation.id)) return;
  if (soundEnabled.value) playSound(sound);
  if (!desktopNotifications.value || document.hasFocus() || !("Notification" in window)) return;
  if (Notification.permission !== "granted") return;
  try {
    const notification = new Notification(title, {
      body: text.slice(0, MAX_BODY_CHARACTERS),
      tag: `parley-${conversation.id}`,
    });
    notification.onclick = () => {
      window.focus();
      navigate("chats", conversation.id);
      notification.close();
    };
  } catch {
    // Mobile browsers allow notifications from a service worker only.
  }
}

/** Keeps the number of chats that need attention in the tab's title and on the app's icon. Returns how to stop. */
export function startBadge(): () => void {
  return effect(() => {
    const { waiting, mine } = attentionCounts.value;
    const total = waiting + mine;
    document.title = total ? `(${total}) Parley` : "Parley";
    const app = navigator as Navigator & { setAppBadge?: (count?: number) => Promise<void> };
    app.setAppBadge?.(total).catch(() => undefined);
  });
}
