/** Names and texts of people as a part of plain text: sentences, titles, placeholders, desktop notifications. */

const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";
/** Embeddings, overrides, isolates and their ends. */
const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/g;
/** Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\ud802\ud803\ud83a\ud83b]/;

/** Keeps the direction of a text to itself, so that it does not turn the text next to it. */
export function isolate(text: string, always = false): string {
  const plain = text.replace(DIRECTION_MARKS, "");
  const affectsNeighbours = always || plain.length !== text.length || RIGHT_TO_LEFT.test(plain);
  return affectsNeighbours ? `${FIRST_STRONG_ISOLATE}${plain}${POP_ISOLATE}` : plain;
}

/** The first `max` characters as people see them: an emoji of several code points is one. */
export function shorten(text: string, max: number): string {
  // A character as people see it can be long; the input of the segmenter stays bounded.
  const head = text.slice(0, max * 8);
  const characters = [...new Intl.Segmenter().segment(head)];
  if (characters.length <= max && head.length === text.length) return text;
  const shown = characters.slice(0, max).map(({ segment }) => segment);
  return `${shown.join("")}…`;
}
