/**
 * Splits text into plain text and links, so that it can be displayed without being treated as markup. The text comes
 * from strangers: every step takes time in proportion to its length.
 */

interface TextPart {
  text: string;
  href?: string;
}

// Each repetition is either bounded or cannot be followed by something that makes it try again.
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/gi;
const TRAILING_PUNCTUATION = ".,;:!?…'\"»”。，、；：！？」』";
/** Closing brackets, which belong to a link only when they were opened inside it. */
const OPENING_BRACKETS: Record<string, string> = { ")": "(", "]": "[" };

/** The parts of a text, in order. Only http, https and mailto URLs become links. */
export function linkify(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimPunctuation(match[0]);
    const href = toHref(link);
    if (!href) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: link, href });
    end = match.index + link.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** Removes the sentence's punctuation, and brackets that were opened before the link. */
export function trimPunctuation(link: string, punctuation = TRAILING_PUNCTUATION): string {
  const surplus: Record<string, number> = {};
  for (const [closing, opening] of Object.entries(OPENING_BRACKETS)) {
    surplus[closing] = count(link, closing) - count(link, opening);
  }
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1] ?? "";
    if (punctuation.includes(last)) continue;
    const left = surplus[last] ?? 0;
    if (left <= 0) break;
    surplus[last] = left - 1;
  }
  return link.slice(0, end);
}

function count(text: string, character: string): number {
  let times = 0;
  for (const one of text) if (one === character) times += 1;
  return times;
}

function toHref(link: string): string | undefined {
  if (/^https?:/i.test(link)) return toSafeUrl(link);
  return toSafeUrl(/^www\./i.test(link) ? `https://${link}` : `mailto:${link}`);
}

/** The URL when a page may link to it; undefined for scripts, files and malformed text. */
export function toSafeUrl(url: string | null | undefined, base?: string): string | undefined {
  if (!url) return undefined;
  try {
    const parsed = new URL(url, base);
    return ["http:", "https:", "mailto:"].includes(parsed.protocol) ? parsed.href : undefined;
  } catch {
    return undefined;
  }
}
