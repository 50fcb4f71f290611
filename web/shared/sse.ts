/**
 * Reads an event stream from a fetch answer. EventSource would hide three things that an honest connection state
 * needs: the status of a refusal, the keep-alive comments, and headers (a token does not belong in an address).
 */

export interface Frame {
  id?: string;
  event: string;
  data: string;
  retry?: number;
}

export class Silent extends Error {}

/**
 * Hands over each frame as it comes, until the stream ends. `silenceMs` without a single byte, not even a
 * keep-alive, means that the other side has gone without saying so: raises Silent.
 */
export async function readFrames(
  body: ReadableStream<Uint8Array>,
  onFrame: (frame: Frame) => void,
  silenceMs: number,
): Promise<void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await within(reader.read(), silenceMs);
      if (done) return;
      const text = rest + value;
      // Half of a line's end may come with the next bytes: it waits for the other half.
      const held = text.endsWith("\r") ? "\r" : "";
      const blocks = text
        .slice(0, text.length - held.length)
        .replace(/\r\n?/g, "\n")
        .split("\n\n");
      rest = (blocks.pop() ?? "") + held;
      for (const block of blocks) {
        const frame = parse(block);
        if (frame) onFrame(frame);
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): Frame | undefined {
  const frame: Frame = { event: "message", data: "" };
  const data: string[] = [];
  let told = false;
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") frame.event = value;
    else if (name === "id") frame.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) frame.retry = Number(value);
    else continue;
    told = true;
  }
  frame.data = data.join("\n");
  return told ? frame : undefined;
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Silent("the stream fell silent")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds to wait before the n-th try again: doubling from half a second to 15 s, never in step with others. */
export function backoff(attempt: number): number {
  const ceiling = Math.min(15_000, 500 * 2 ** Math.min(attempt, 6));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** Waits, or wakes early when the machine says that it is connected again, or the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
