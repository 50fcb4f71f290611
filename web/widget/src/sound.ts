/** The sound of a new message. Loaded with the first one. */
import { sleep } from "../../shared/retry";
import { readText, writeText } from "../../shared/storage";

const PITCHES_HZ = [784, 988];
const NOTE_SECONDS = 0.12;
const VOLUME = 0.05;

let audio: AudioContext | undefined;

/** How long a tab waits at least: the visitor may see the message in another one. */
const MIN_DELAY_MS = 100;

/** Plays the sound of a message, unless another tab has shown it or played it. `key` stores the last one's id. */
export async function playOnce(key: string, id: number): Promise<void> {
  await sleep(MIN_DELAY_MS * (1 + Math.random()));
  if (Number(readText(key)) >= id) return;
  writeText(key, String(id));
  playSound();
}

/** Plays two soft notes. Silent where the browser allows no sound: until the visitor has clicked or typed on the page. */
function playSound(): void {
  if (navigator.userActivation?.hasBeenActive === false) return;
  try {
    audio ??= new AudioContext();
    const context = audio;
    // Rejects where there is no audio output.
    void context.resume().catch(() => undefined);
    PITCHES_HZ.forEach((pitch, index) => {
      const start = context.currentTime + index * NOTE_SECONDS;
      const note = context.createOscillator();
      const volume = context.createGain();
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(VOLUME, start);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 2 * NOTE_SECONDS);
      note.connect(volume).connect(context.destination);
      note.start(start);
      note.stop(start + 2 * NOTE_SECONDS);
    });
  } catch {
    // This machine has no audio output.
  }
}
