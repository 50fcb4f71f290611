/** Loads a part of the widget that only some visitors need. */

const TIMEOUT_MS = 4000;
const MAX_ATTEMPTS = 3;

/** The file's text; empty when it cannot be loaded. */
export async function loadText(url: string): Promise<string> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), credentials: "omit" });
      if (response.ok) return await response.text();
    } catch {
      // Tried again.
    }
  }
  return "";
}
