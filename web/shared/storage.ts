/** localStorage, which a browser may forbid or which may be full: then nothing is remembered, and nothing fails. */

/** The stored text; null when there is none. */
export function readText(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Stores a text; null removes it. */
export function writeText(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // The value then lives only as long as the page.
  }
}

/** The names of the stored values that begin with `prefix`. */
export function listKeys(prefix: string): string[] {
  try {
    const names = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
    return names.filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
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
