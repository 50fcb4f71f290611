/**
 * What the widget learns from the page that embeds it, and the visitor's session on this site. The site key is in the
 * script tag (`data-site-key`), in the script's address (`?site_key=`), or, for tag managers, in a global:
 * `window.Parley = { siteKey, origin?, colour? }`.
 */
import { listKeys, randomHex, readText, writeText } from "../../shared/storage";
import { browserLanguage } from "./i18n/language";

const SESSION_BYTES = 24;
/** The session in a URL would be in the logs of every proxy. */
export const SESSION_HEADER = "X-Parley-Session";

export interface EmbedConfig {
  /** The server's origin. */
  origin: string;
  siteKey: string;
  sessionId: string;
  /** The session that this one continues, of the same person. */
  previousSessionId?: string;
  /** The button's colour until the site's own is known. */
  colour: string;
  /** Whether the button is at the start of the line and not at its end: "left" in most languages. */
  position: string;
  /** Selects elements of the page that open the chat in place of the button. */
  launcher: string;
  /** The tag of the visitor's language, such as "pt-BR". */
  language: string;
}

/** What a page may set, under `window.Parley`, before the script runs. */
export interface PageConfig {
  siteKey?: string;
  site_key?: string;
  origin?: string;
  colour?: string;
  position?: string;
  launcher?: string;
}

// Only known while the script runs for the first time; a module has none.
const currentScript = document.currentScript as HTMLScriptElement | null;

/** Reads the configuration; `own` takes precedence. Throws an Error that says what is missing. */
export function readEmbedConfig(own: PageConfig = {}): EmbedConfig {
  const page = readPageConfig();
  const scripts = [...document.querySelectorAll<HTMLScriptElement>("script[src*='widget.js']")];
  const candidates = currentScript?.src ? [currentScript, ...scripts] : scripts;
  const tag = candidates.find(siteKeyOf) ?? candidates[0];
  const siteKey = own.siteKey || (tag && siteKeyOf(tag)) || page.siteKey || page.site_key;
  if (!siteKey) throw new Error("no site key (data-site-key)");
  const source = own.origin || page.origin || tag?.src;
  if (!source) throw new Error("no server (window.Parley.origin)");
  const { origin } = new URL(source, location.href);
  const read = (name: "colour" | "position" | "launcher") =>
    own[name] ?? tag?.dataset[name] ?? page[name] ?? "";
  return {
    origin,
    siteKey,
    sessionId: getSessionId(siteKey),
    colour: read("colour"),
    position: read("position"),
    launcher: read("launcher"),
    language: browserLanguage,
  };
}

function siteKeyOf(tag: HTMLScriptElement): string | undefined {
  return tag.dataset["siteKey"] || new URL(tag.src, location.href).searchParams.get("site_key") || undefined;
}

function readPageConfig(): PageConfig {
  const globals = window as unknown as Record<string, unknown>;
  const config = globals["Parley"] ?? globals["parley"];
  return typeof config === "object" && config !== null ? config : {};
}

export const storageKey = (siteKey: string, name: string): string => `parley:${siteKey}:${name}`;

/** Removes everything that the widget has stored for a site; the session comes last, for the other tabs. */
export function clearStorage(siteKey: string): void {
  const session = storageKey(siteKey, "session");
  for (const name of listKeys(storageKey(siteKey, ""))) if (name !== session) writeText(name, null);
  writeText(session, null);
}

/** The visitor's secret for this site: created here, stored in the browser, sent to this server only. */
function getSessionId(siteKey: string): string {
  const key = storageKey(siteKey, "session");
  const stored = readText(key);
  if (stored && /^[A-Za-z0-9_-]{16,128}$/.test(stored)) return stored;
  const created = randomHex(SESSION_BYTES);
  writeText(key, created);
  return created;
}
