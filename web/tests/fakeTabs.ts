/** BroadcastChannel and Web Locks for tests: tabs of one browser, in one process. */
import { vi } from "vitest";

let channels: FakeBroadcastChannel[] = [];

class FakeBroadcastChannel {
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(readonly name: string) {
    channels.push(this);
  }

  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    for (const channel of channels) {
      if (channel !== this && channel.name === this.name) {
        queueMicrotask(() => channels.includes(channel) && channel.onmessage?.({ data: copy }));
      }
    }
  }

  close(): void {
    channels = channels.filter((channel) => channel !== this);
  }
}

interface LockRequest {
  grant(): void;
  reject(error: Error): void;
}

class FakeLocks {
  private holder: LockRequest | undefined;
  private readonly queue: LockRequest[] = [];

  request(
    _name: string,
    { steal, signal }: { steal?: boolean; signal?: AbortSignal },
    hold: () => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const request: LockRequest = {
        reject,
        grant: () => {
          this.holder = request;
          void hold().then(() => {
            resolve();
            if (this.holder === request) this.grantNext();
          });
        },
      };
      signal?.addEventListener("abort", () => {
        const at = this.queue.indexOf(request);
        if (at >= 0) this.queue.splice(at, 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      if (steal) {
        this.holder?.reject(new DOMException("stolen", "AbortError"));
        request.grant();
      } else {
        this.queue.push(request);
        if (!this.holder) this.grantNext();
      }
    });
  }

  private grantNext(): void {
    this.holder = undefined;
    this.queue.shift()?.grant();
  }
}

/** Installs both, or what the browser is said to have. */
export function installTabs({ locks = true, channel = true } = {}): void {
  channels = [];
  if (channel) vi.stubGlobal("BroadcastChannel", FakeBroadcastChannel);
  else vi.stubGlobal("BroadcastChannel", undefined);
  Object.defineProperty(navigator, "locks", {
    value: locks ? new FakeLocks() : undefined,
    configurable: true,
  });
}

/** Removes what `installTabs` added to the navigator, which all test files share. */
export function uninstallTabs(): void {
  Reflect.deleteProperty(navigator, "locks");
}

/** Suspends a tab, by the order in which the tabs were opened: it keeps its lock. Returns what resumes it. */
export function suspend(index: number): () => void {
  const channel = channels[index] as FakeBroadcastChannel;
  const { onmessage, postMessage } = channel;
  channel.onmessage = null;
  channel.postMessage = () => undefined;
  return () => Object.assign(channel, { onmessage, postMessage });
}
