/** localStorage. Where a browser forbids it or it is full, a value lives as long as the page. */

/** One for all scripts of the page: the widget's launcher and its chat window are two. */
const MEMORY = Symbol.for("parley.storage");
const globals = globalThis as unknown as Record<symbol, Map<string, string> | undefined>;
globals[MEMORY] ??= new Map();
const memory = globals[MEMORY];

/** The stored text; null when there is none. */
export function readText(name: string): string | null {
  const kept = memory.get(name);
  if (kept !== undefined) return kept;
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Stores a text; null removes it. */
export function writeText(name: string, value: string | null): void {
  memory.delete(name);
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    if (value !== null) memory.set(name, value);
  }
}

/** The names of the stored values that begin with `prefix`. */
export function listKeys(prefix: string): string[] {
  const names = new Set(memory.keys());
  try {
    for (let at = 0; at < localStorage.length; at += 1) names.add(localStorage.key(at) ?? "");
  } catch {
    // Forbidden: only what the page remembers.
  }
  return [...names].filter((name) => name.startsWith(prefix));
}

/** Calls `handler` when another tab has stored or removed a value, until the signal is aborted. */
export function onStored(handler: (name: string, value: string | null) => void, signal?: AbortSignal): void {
  addEventListener("storage", ({ key, newValue }) => key && handler(key, newValue), signal && { signal });
}

export const readJson = <T>(name: string, fallback: T): T => parseJson(readText(name), fallback);

export const writeJson = (name: string, value: unknown): void => writeText(name, JSON.stringify(value));

/** The value of a JSON text; `fallback` when it is missing or malformed. */
export function parseJson<T>(text: string | null, fallback: T): T {
  try {
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** 128 random bits in hexadecimal. Unlike crypto.randomUUID it also works on pages without HTTPS. */
export const randomId = (): string => randomHex(16);

export function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
