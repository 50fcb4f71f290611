/**
 * Parses server-sent events from a fetch response. EventSource is not used because it hides the status of a refused
 * request and the keep-alive comments, and cannot send headers (a token must not be part of a URL).
 */

export interface SseEvent {
  id?: string;
  event: string;
  data: string;
  retry?: number;
}

/** No byte arrived for too long: the connection is dead although nobody closed it. */
export class StreamTimeout extends Error {}

/** Passes each event to `onEvent` until the stream ends. Throws StreamTimeout after `idleTimeoutMs` without a byte. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  onEvent: (event: SseEvent) => void,
  idleTimeoutMs: number,
): Promise<void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await withTimeout(reader.read(), idleTimeoutMs);
      if (done) return;
      const text = rest + value;
      // A "\r" at the end may be half of a "\r\n": it waits for the next chunk.
      const carry = text.endsWith("\r") ? "\r" : "";
      const blocks = text
        .slice(0, text.length - carry.length)
        .replace(/\r\n?/g, "\n")
        .split("\n\n");
      rest = (blocks.pop() ?? "") + carry;
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event) onEvent(event);
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** The event of a block of lines; undefined for a block of comments only. */
function parseEvent(block: string): SseEvent | undefined {
  const event: SseEvent = { event: "message", data: "" };
  const data: string[] = [];
  let hasFields = false;
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event.event = value;
    else if (name === "id") event.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) event.retry = Number(value);
    else continue;
    hasFields = true;
  }
  event.data = data.join("\n");
  return hasFields ? event : undefined;
}

async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StreamTimeout("no data from the server")), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
