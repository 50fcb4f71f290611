/** Finds entries by a few letters and ranks them. Pure functions, and a matcher that narrows as the operator types. */
import { fold } from "../i18n/fold";

export interface Searchable {
  id: string;
  label: string;
  /** Other text by which it is found, such as a visitor's e-mail. */
  keywords?: string;
  /** Of equal matches, the higher priority comes first, then the newest. */
  priority?: number;
  /** When it changed last, in epoch milliseconds. */
  at?: number;
}

/** How well an entry matches, best first. An entry that does not match has none. */
const RANKS = { prefix: 5, wordStart: 4, keyword: 3, inside: 2, scattered: 1 } as const;

interface Indexed<T> {
  entry: T;
  label: string;
  keywords: string;
}

export interface Match<T> {
  entry: T;
  rank: number;
}

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

const startsWord = (text: string, index: number): boolean =>
  index === 0 || !LETTER_OR_DIGIT.test(text[index - 1] as string);

function hasWordStart(text: string, word: string): boolean {
  for (let index = text.indexOf(word); index >= 0; index = text.indexOf(word, index + 1)) {
    if (startsWord(text, index)) return true;
  }
  return false;
}

/** Whether the letters occur in this order, from the start of a word on: "trf" in "transfer". */
function isScattered(text: string, letters: string): boolean {
  const [first = "", ...others] = letters;
  let position = text.indexOf(first);
  while (position >= 0 && !startsWord(text, position)) position = text.indexOf(first, position + 1);
  for (const letter of others) {
    if (position < 0) return false;
    position = text.indexOf(letter, position + 1);
  }
  return position >= 0;
}

/** Ranks a folded text of one word; 0 if it does not match. */
function rankWord(word: string, label: string, keywords: string): number {
  if (hasWordStart(label, word)) return RANKS.wordStart;
  if (keywords && hasWordStart(keywords, word)) return RANKS.keyword;
  if (label.includes(word) || keywords.includes(word)) return RANKS.inside;
  return isScattered(label, word) ? RANKS.scattered : 0;
}

/** Ranks an entry; 0 if it does not match. Every word of the query has to match. All texts are folded. */
export function rankEntry(words: readonly string[], label: string, keywords: string): number {
  if (label.startsWith(words.join(" "))) return RANKS.prefix;
  let rank: number = RANKS.wordStart;
  for (const word of words) {
    rank = Math.min(rank, rankWord(word, label, keywords));
    if (rank === 0) return 0;
  }
  return rank;
}

/** Searches a fixed list of entries. `recent` are the ids that were chosen last, newest first. */
export class Matcher<T extends Searchable> {
  private readonly all: Indexed<T>[];
  private readonly recency: ReadonlyMap<string, number>;
  private lastQuery = "";
  private lastMatches: Indexed<T>[];

  constructor(
    entries: readonly T[],
    recent: readonly string[],
    private readonly rank = rankEntry,
  ) {
    this.all = entries.map((entry) => ({
      entry,
      label: fold(entry.label),
      keywords: fold(entry.keywords ?? ""),
    }));
    this.recency = new Map(recent.map((id, index) => [id, index]));
    this.lastMatches = this.all;
  }

  /** Returns the entries that match, best first. What did not match a query is not looked at when it is continued. */
  search(query: string): Match<T>[] {
    const folded = fold(query).trimStart();
    const words = folded.split(/\s+/).filter(Boolean);
    const searched = folded.startsWith(this.lastQuery) ? this.lastMatches : this.all;
    const matching: Indexed<T>[] = [];
    const matches: Match<T>[] = [];
    for (const indexed of searched) {
      const rank = this.rank(words, indexed.label, indexed.keywords);
      if (rank === 0) continue;
      matching.push(indexed);
      matches.push({ entry: indexed.entry, rank });
    }
    this.lastQuery = folded;
    this.lastMatches = matching;
    const chosen = ({ entry }: Match<T>) => this.recency.get(entry.id) ?? Number.MAX_SAFE_INTEGER;
    return matches.sort(
      (a, b) => b.rank - a.rank || chosen(a) - chosen(b) || compareImportance(a.entry, b.entry),
    );
  }
}

/** Compares entries without a query: the more important one first. */
export function compareImportance(a: Searchable, b: Searchable): number {
  return (b.priority ?? 0) - (a.priority ?? 0) || (b.at ?? 0) - (a.at ?? 0);
}
