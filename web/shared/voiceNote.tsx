/** The button that records a voice note. It is shown only where the browser and the page allow the microphone. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Recorder, Recording } from "./recorder";

interface FeaturePolicy {
  allowsFeature(name: string): boolean;
}

/** Whether recording is possible here at all. Browsers without an answer are asked by trying. */
export function canRecord(): boolean {
  const { featurePolicy } = document as { featurePolicy?: FeaturePolicy };
  return (
    "MediaRecorder" in window &&
    navigator.mediaDevices?.getUserMedia !== undefined &&
    featurePolicy?.allowsFeature("microphone") !== false
  );
}

export type RecordingFailure = "denied" | "noMicrophone" | "failed";

interface VoiceNoteProps {
  labels: Record<"record" | "stop" | "discard" | "recording", string>;
  icons: Record<"record" | "stop" | "discard", ComponentChildren>;
  disabled?: boolean;
  /** The button that starts the recording, and then the one that ends it. */
  button?: RefObject<HTMLButtonElement> | null;
  onRecorded(recording: Recording): void;
  onFailure(reason: RecordingFailure): void;
}

export function VoiceNote({
  labels,
  icons,
  disabled = false,
  button = null,
  onRecorded,
  onFailure,
}: VoiceNoteProps) {
  const recorder = useSignal<Recorder | null>(null);
  const starting = useSignal(false);
  const seconds = useSignal(0);
  const isGone = useRef(false);
  // Leaving the chat ends the recording.
  useEffect(
    () => () => {
      isGone.current = true;
      recorder.peek()?.cancel();
    },
    [],
  );
  const active = recorder.value;
  useEffect(() => {
    if (!active) return undefined;
    seconds.value = 0;
    const timer = setInterval(() => {
      seconds.value += 1;
    }, 1000);
    return () => clearInterval(timer);
  }, [active]);
  if (!canRecord()) return null;

  const start = async () => {
    starting.value = true;
    try {
      const { startRecording } = await import("./recorder");
      const started = await startRecording();
      // The chat was left while the browser asked for the microphone.
      if (isGone.current) started.cancel();
      recorder.value = started;
    } catch (error) {
      onFailure(reasonOf(error));
    }
    starting.value = false;
    const recording = await recorder.value?.finished;
    recorder.value = null;
    if (recording) onRecorded(recording);
  };

  if (!active) {
    return (
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={labels.record}
        title={labels.record}
        disabled={disabled || starting.value}
        onClick={start}
      >
        {icons.record}
      </button>
    );
  }
  const minutes = Math.floor(seconds.value / 60);
  return (
    <span class="voice-note" role="group" aria-label={labels.recording}>
      <button
        type="button"
        class="icon-button"
        aria-label={labels.discard}
        title={labels.discard}
        onClick={() => active.cancel()}
      >
        {icons.discard}
      </button>
      <span class="voice-note-time" role="timer" dir="ltr">
        {minutes}:{String(seconds.value % 60).padStart(2, "0")}
      </span>
      <button
        ref={button}
        type="button"
        class="icon-button recording"
        aria-label={labels.stop}
        title={labels.stop}
        onClick={() => active.stop()}
      >
        {icons.stop}
      </button>
    </span>
  );
}

function reasonOf(error: unknown): RecordingFailure {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  return name === "NotFoundError" ? "noMicrophone" : "failed";
}
