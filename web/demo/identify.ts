/**
 * Identifies the visitor as somebody whose name is entered here, in place of a site's server. Only the page that
 * `make run` links to can: its address has the demo site's secret behind the `#`. A real page never has one.
 */
import { parley } from "@parley/widget";

const LIFETIME_SECONDS = 3600;
const encoder = new TextEncoder();

/** Shows the part of the page where the visitor logs in and out. */
export function showIdentification(siteKey: string, secret: string): void {
  const form = document.querySelector<HTMLFormElement>("#identify");
  if (!form) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = String(new FormData(form).get("name") ?? "").trim();
    if (name) void sign(siteKey, secret, name).then((token) => parley.identify(token));
  });
  form.addEventListener("reset", () => parley.reset());
}

/** A token as docs/identify.md describes it. */
async function sign(siteKey: string, secret: string, name: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: name.toLowerCase(), name, aud: siteKey, exp: now + LIFETIME_SECONDS };
  const parts = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
    toBase64(encoder.encode(JSON.stringify(part))),
  );
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(parts.join(".")));
  return [...parts, toBase64(new Uint8Array(signature))].join(".");
}

const toBase64 = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (char) => ({ "+": "-", "/": "_" })[char] ?? "");
