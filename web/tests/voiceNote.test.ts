/** The button that records a voice note. */
import { h, render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import { VoiceNote } from "../shared/voiceNote";
import { settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();
let allow: () => void;
const track = { stop: vi.fn() };

class FakeRecorder {
  static isTypeSupported = () => true;
  state = "inactive";
  mimeType = "audio/webm";
  ondataavailable?: (event: object) => void;
  onstop?: () => void;

  start(): void {
    this.state = "recording";
  }

  stop(): void {
    this.state = "inactive";
    this.ondataavailable?.({ data: new Blob(["sound"]) });
    this.onstop?.();
  }
}

beforeEach(() => {
  track.stop.mockClear();
  vi.stubGlobal("MediaRecorder", FakeRecorder);
  const getUserMedia = () =>
    new Promise((resolve) => {
      allow = () => resolve({ getTracks: () => [track] });
    });
  Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia }, configurable: true });
});

async function record(onRecorded: () => void): Promise<void> {
  const labels = { record: "Record", stop: "Stop", discard: "Discard", recording: "Recording" };
  const icons = { record: null, stop: null, discard: null };
  render(h(VoiceNote, { labels, icons, onRecorded, onFailure: () => undefined }), view.root);
  view.root.querySelector("button")?.click();
  await vi.waitFor(() => expect(allow).toBeDefined());
  await settle();
}

test("what was recorded is passed on when the recording ends", async () => {
  const onRecorded = vi.fn();
  await record(onRecorded);
  allow();
  await settle();
  view.root.querySelector<HTMLElement>("[aria-label=Stop]")?.click();
  await settle();
  expect(onRecorded).toHaveBeenCalledOnce();
  expect(track.stop).toHaveBeenCalledOnce();
});

test("a chat that is left while the browser asks for the microphone records nothing", async () => {
  const onRecorded = vi.fn();
  await record(onRecorded);
  render(null, view.root);
  allow();
  await settle();
  expect(track.stop).toHaveBeenCalledOnce();
  expect(onRecorded).not.toHaveBeenCalled();
});
