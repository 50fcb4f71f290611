/** Two short notes. Browsers play no sound on a page until the user has clicked or typed there. */
import { signal } from "@preact/signals";
import { soundEnabled } from "../settings/preferences";

export type Sound = "message" | "waiting";

const MIN_INTERVAL_MS = 1500;
/** How long a browser may take to start its audio. A chime that is later than this is left out. */
const START_TIMEOUT_MS = 1000;
const PITCHES_HZ: Record<Sound, number[]> = { waiting: [587, 880], message: [740, 660] };
const GESTURES = ["pointerdown", "keydown", "touchend"] as const;

/** Whether the browser blocks sound on this page: it has to be clicked once. */
export const soundBlocked = signal(false);

let audio: AudioContext | undefined;
let lastPlayedAt = 0;

function getAudio(): AudioContext | undefined {
  if (audio) return audio;
  try {
    const context = new AudioContext();
    context.onstatechange = () => {
      if (context.state === "running") soundBlocked.value = false;
    };
    audio = context;
  } catch {
    // This machine has no audio output.
  }
  return audio;
}

/** Resolves with whether the audio runs, at the latest after START_TIMEOUT_MS. */
async function startAudio(context: AudioContext): Promise<boolean> {
  if (context.state === "running") return true;
  const timeout = new Promise((resolve) => setTimeout(resolve, START_TIMEOUT_MS));
  await Promise.race([context.resume().catch(() => undefined), timeout]);
  // The state changes while this waits.
  const isRunning = (context.state as AudioContextState) === "running";
  soundBlocked.value = !isRunning;
  return isRunning;
}

/** Starts the audio with the first click or key. Returns a function that stops waiting for it. */
export function watchSound(): () => void {
  const onGesture = () => {
    const context = soundEnabled.value ? getAudio() : undefined;
    if (context && context.state !== "running") void startAudio(context);
  };
  for (const name of GESTURES) addEventListener(name, onGesture, { capture: true, passive: true });
  onGesture();
  return () => {
    for (const name of GESTURES) removeEventListener(name, onGesture, { capture: true });
    soundBlocked.value = false;
  };
}

/** Whether a sound would be audible now. */
export const canPlay = (): boolean => !soundBlocked.value && getAudio() !== undefined;

export async function playSound(sound: Sound): Promise<void> {
  // After a lost connection many events arrive together: one sound is enough.
  if (Date.now() - lastPlayedAt < MIN_INTERVAL_MS) return;
  lastPlayedAt = Date.now();
  const context = getAudio();
  if (!context || !(await startAudio(context))) return;
  PITCHES_HZ[sound].forEach((pitch, index) => {
    playNote(context, pitch, context.currentTime + index * 0.13);
  });
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
