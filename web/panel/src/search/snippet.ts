/** A hit's text, divided where it matches. */
import type { SearchHit } from "../../../shared/apiTypes";

interface SnippetPart {
  text: string;
  marked: boolean;
}

/** The API counts code points, which `Array.from` divides a text into. */
export function splitSnippet({ text, marks }: SearchHit["snippet"]): SnippetPart[] {
  const letters = Array.from(text);
  const parts: SnippetPart[] = [];
  let end = 0;
  const add = (to: number, marked: boolean) => {
    if (to > end) parts.push({ text: letters.slice(end, to).join(""), marked });
    end = Math.max(end, to);
  };
  for (const [start, stop] of marks as [number, number][]) {
    add(start, false);
    add(stop, true);
  }
  add(letters.length, false);
  return parts;
}
