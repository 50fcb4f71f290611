/** Splits what somebody wrote into plain text and links, so that it can be shown without ever being markup. */

export interface Piece {
  text: string;
  href?: string;
}

const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/gi;
const TRAILING = /[.,;:!?…'"»”]+$/;

/** The pieces of a text, in order. Only http, https and mailto addresses become links. */
export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    const href = address(link);
    if (!href) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: link, href });
    end = match.index + link.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** A sentence's own punctuation is not part of the link; a bracket is, where it was opened in it. */
function trimmed(link: string): string {
  let text = link.replace(TRAILING, "");
  while (text.endsWith(")") && text.split("(").length < text.split(")").length) {
    text = text.slice(0, -1).replace(TRAILING, "");
  }
  return text;
}

function address(link: string): string | undefined {
  const raw = /^https?:/i.test(link) ? link : link.includes("@") ? `mailto:${link}` : `https://${link}`;
  return safeAddress(raw);
}

/** The address when it is one that may be followed from a page; undefined for scripts, files and nonsense. */
export function safeAddress(raw: string | null | undefined): string | undefined {
  if (!raw) return undefined;
  try {
    const url = new URL(raw);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
