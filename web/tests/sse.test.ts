/** The parser of server-sent events. */
import { afterEach, expect, test, vi } from "vitest";
import { readEvents, type SseEvent, StreamTimeout } from "../shared/sse";

afterEach(() => {
  vi.useRealTimers();
});

async function parse(...chunks: string[]): Promise<SseEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  const events: SseEvent[] = [];
  await readEvents(body, (event) => events.push(event), 1000);
  return events;
}

test("fields of an event are read", async () => {
  expect(await parse("event: typing\nid: 5-1\nretry: 200\ndata: {}\n\n")).toEqual([
    { event: "typing", id: "5-1", retry: 200, data: "{}" },
  ]);
});

test("an event split at any byte is the same event", async () => {
  const text = "id: 1\r\nevent: note\r\ndata: a\r\ndata: ü\r\n\r\nid: 2\r\ndata: b\r\n\r\n";
  const expected = [
    { event: "note", id: "1", data: "a\nü" },
    { event: "message", id: "2", data: "b" },
  ];
  for (let at = 0; at <= text.length; at += 1) {
    expect(await parse(text.slice(0, at), text.slice(at))).toEqual(expected);
  }
});

test("comments are no events", async () => {
  expect(await parse(": keep-alive\n\n", "data: x\n\n")).toEqual([{ event: "message", data: "x" }]);
});

test("an unfinished event at the end is dropped", async () => {
  expect(await parse("data: x\n\ndata: half")).toEqual([{ event: "message", data: "x" }]);
});

test("a stream without a byte for too long ends with StreamTimeout", async () => {
  vi.useFakeTimers();
  const silent = new ReadableStream<Uint8Array>();
  const reading = expect(readEvents(silent, () => undefined, 40_000)).rejects.toThrow(StreamTimeout);
  await vi.advanceTimersByTimeAsync(40_000);
  await reading;
});
