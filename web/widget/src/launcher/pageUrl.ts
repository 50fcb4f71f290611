/** A page's URL as operators may see it. */

/** The URL without its fragment, credentials and query, except for the query parameters that the site keeps. */
export function cleanUrl(url: string, keptParameters: readonly string[]): string {
  try {
    const { origin, pathname, searchParams } = new URL(url);
    if (origin === "null") return "";
    const kept = new URLSearchParams([...searchParams].filter(([name]) => keptParameters.includes(name)));
    const query = kept.toString();
    return origin + pathname + (query && `?${query}`);
  } catch {
    return "";
  }
}
