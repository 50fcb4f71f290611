/** Where the widget stands: which page and site, which server, who this browser is, and what it remembers. */

export interface Place {
  base: string;
  siteKey: string;
  session: string;
  /** The tag may name the site's colour, so that the button has it before anything is loaded. */
  colour: string;
}

const script = document.currentScript as HTMLScriptElement | null;

/** The tag that loaded the widget says it all; undefined where it says too little. */
export function findPlace(): Place | undefined {
  const tag = script ?? document.querySelector<HTMLScriptElement>("script[data-site-key][src*='widget.js']");
  const siteKey = tag?.dataset["siteKey"];
  if (!tag || !siteKey) return undefined;
  const base = new URL(tag.src, location.href).origin;
  return { base, siteKey, session: sessionOf(siteKey), colour: tag.dataset["colour"] ?? "" };
}

/** The session is the visitor's secret: made here, kept for this site alone, sent to nobody but the server. */
function sessionOf(siteKey: string): string {
  const name = `parley:${siteKey}:session`;
  const known = recall(name);
  if (known && /^[A-Za-z0-9_-]{16,128}$/.test(known)) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const made = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  keep(name, made);
  return made;
}

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Forbidden on this page: the session then lasts as long as the page.
  }
}

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
