/** Waiting between attempts. */

const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;

/** Milliseconds to wait before attempt `attempt` + 1: doubles up to 15 s, with jitter so that clients spread out. */
export function backoffDelay(attempt: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.min(attempt, 6));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/** Waits `ms` milliseconds; returns early when the browser comes online or `signal` is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    addEventListener("online", wake);
    signal?.addEventListener("abort", wake);
    if (signal?.aborted) wake();
  });
}

/** A function that runs `work` at most once in `ms` milliseconds and ignores the calls in between. */
export function throttle<Args extends unknown[]>(
  ms: number,
  work: (...args: Args) => void,
): (...args: Args) => void {
  let last = 0;
  return (...args) => {
    if (Date.now() - last < ms) return;
    last = Date.now();
    work(...args);
  };
}
