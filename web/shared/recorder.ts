/** Records a voice note. Loaded when somebody records the first one. */

/** Opus in WebM, or AAC in MP4 where the browser records nothing else. */
const MEDIA_TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const EXTENSIONS: Record<string, string> = { "audio/webm": "webm", "audio/mp4": "m4a", "audio/ogg": "ogg" };
const BITS_PER_SECOND = 32_000;
const MAX_SECONDS = 600;

export interface Recording {
  file: File;
  seconds: number;
}

export interface Recorder {
  /** Resolves with what was recorded, when `stop` was called or after ten minutes; with null when it was cancelled. */
  finished: Promise<Recording | null>;
  stop(): void;
  cancel(): void;
}

/** Asks for the microphone and starts. Throws the browser's DOMException when there is none or it is not allowed. */
export async function startRecording(): Promise<Recorder> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mimeType = MEDIA_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, {
    ...(mimeType && { mimeType }),
    audioBitsPerSecond: BITS_PER_SECOND,
  });
  const parts: Blob[] = [];
  const startedAt = Date.now();
  let cancelled = false;
  const stop = () => {
    if (recorder.state !== "inactive") recorder.stop();
  };
  const limit = setTimeout(stop, 1000 * MAX_SECONDS);
  const finished = new Promise<Recording | null>((resolve) => {
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      clearTimeout(limit);
      // The browser shows that the microphone is in use until then.
      for (const track of stream.getTracks()) track.stop();
      const type = (recorder.mimeType || mimeType || "audio/webm").split(";")[0] as string;
      const name = `voice-note.${EXTENSIONS[type] ?? "webm"}`;
      const seconds = Math.round((Date.now() - startedAt) / 100) / 10;
      resolve(cancelled ? null : { file: new File(parts, name, { type }), seconds });
    };
  });
  recorder.start();
  return {
    finished,
    stop,
    cancel() {
      cancelled = true;
      stop();
    },
  };
}
