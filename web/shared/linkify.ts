/** Splits text into plain text and links, so that it can be displayed without being treated as markup. */

export interface TextPart {
  text: string;
  href?: string;
}

const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/gi;
const TRAILING_PUNCTUATION = /[.,;:!?…'"»”]+$/;

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

/** Removes the sentence's punctuation. A closing bracket stays when it was opened inside the link. */
function trimPunctuation(link: string): string {
  let text = link.replace(TRAILING_PUNCTUATION, "");
  while (text.endsWith(")") && text.split("(").length < text.split(")").length) {
    text = text.slice(0, -1).replace(TRAILING_PUNCTUATION, "");
  }
  return text;
}

function toHref(link: string): string | undefined {
  if (/^https?:/i.test(link)) return toSafeUrl(link);
  return toSafeUrl(link.includes("@") ? `mailto:${link}` : `https://${link}`);
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
