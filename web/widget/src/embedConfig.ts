/** What the widget learns from the script tag that embeds it, and the visitor's session on this site. */
import { randomHex, readText, writeText } from "../../shared/storage";

const SESSION_BYTES = 24;

export interface EmbedConfig {
  /** The server's origin. */
  origin: string;
  siteKey: string;
  sessionId: string;
  /** The button's colour until the site's settings are loaded. */
  colour: string;
}

// Only known while the script runs for the first time.
const currentScript = document.currentScript as HTMLScriptElement | null;

/** Reads the script tag; undefined when it has no site key. */
export function readEmbedConfig(): EmbedConfig | undefined {
  const tag =
    currentScript ?? document.querySelector<HTMLScriptElement>("script[data-site-key][src*='widget.js']");
  const siteKey = tag?.dataset["siteKey"];
  if (!tag || !siteKey) return undefined;
  const { origin } = new URL(tag.src, location.href);
  return { origin, siteKey, sessionId: getSessionId(siteKey), colour: tag.dataset["colour"] ?? "" };
}

export const storageKey = (siteKey: string, name: string): string => `parley:${siteKey}:${name}`;

/** The visitor's secret for this site: created here, stored in the browser, sent to this server only. */
function getSessionId(siteKey: string): string {
  const key = storageKey(siteKey, "session");
  const stored = readText(key);
  if (stored && /^[A-Za-z0-9_-]{16,128}$/.test(stored)) return stored;
  const created = randomHex(SESSION_BYTES);
  writeText(key, created);
  return created;
}
