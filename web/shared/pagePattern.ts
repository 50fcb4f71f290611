/** Patterns of page addresses, as a site's triggers name them: `/pricing*`, `shop.example.com/*`, `/search?*q=shoes*`. */

/**
 * Whether an address matches a pattern, in which `*` stands for any characters. A pattern that begins with `/` or `*` is
 * for any host. Query and fragment count only if the pattern has a `?` or a `#`. Upper and lower case, and a slash at the
 * end, make no difference.
 */
export function matchesPage(address: string, pattern: string): boolean {
  const url = parseUrl(address);
  if (!url) return false;
  const query = /[?#]/.test(pattern) ? url.search : "";
  const fragment = pattern.includes("#") ? url.hash : "";
  const end = `${decode(url.pathname).replace(/\/$/, "")}${decode(query + fragment)}`;
  const glob = withoutScheme(decode(pattern)).replace(/\/$/, "").toLowerCase();
  const isPath = /^([/?#]|$)/.test(glob);
  return matchesGlob((isPath ? end : url.host + end).toLowerCase(), glob);
}

/** Compares from left to right, each part at its first place: no text takes longer than its length times the parts. */
function matchesGlob(text: string, pattern: string): boolean {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false;
  let at = first.length;
  for (const part of parts) {
    const start = text.indexOf(part, at);
    if (start < 0) return false;
    at = start + part.length;
  }
  return at <= text.length - last.length;
}

const withoutScheme = (pattern: string): string => pattern.replace(/^https?:\/\//i, "");

function parseUrl(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

/** Patterns are written as people read addresses. What is not encoded properly stays as it is. */
function decode(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
