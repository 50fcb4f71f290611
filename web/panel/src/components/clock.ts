/** The current time as a signal, for everything that shows how long something has lasted. */
import { signal } from "@preact/signals";

/** Epoch milliseconds, updated every second. */
export const now = signal(Date.now());

setInterval(() => {
  now.value = Date.now();
}, 1000);
