/**
 * Parses the Markdown that language models write into a tree: emphasis, links, code, lists, quotes, tables. There is
 * no HTML and no image in it: tags stay text, an image becomes a link. Every character is read a bounded number
 * of times, and nesting is bounded, because a visitor can make a model repeat hostile text.
 */
import { toSafeUrl, trimPunctuation } from "./linkify";

export type Inline =
  | string
  | { kind: "strong" | "em" | "del"; children: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "link"; href: string; children: Inline[] };

interface ListItem {
  text: Inline[];
  children: Block[];
}

export type Block =
  | { kind: "paragraph" | "heading"; text: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "rule" }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; start: number | null; items: ListItem[] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] };

const MAX_DEPTH = 5;
const LIST_ITEM = /^([ \t]*)(?:([-*+•])|(\d{1,9})[.)])[ \t]+(.*)$/;
const FENCE = /^[ \t]{0,8}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}#{1,6}[ \t]+(.*)$/;
const QUOTE = /^ {0,3}>/;
const TASK = /^\[([ xX])\] /;

/** The blocks of a text. `partial`: the text is still being written, so what is open at its end is closed there. */
export function parseMarkdown(text: string, partial = false): Block[] {
  return parseBlocks(text.replace(/\r\n?/g, "\n").split("\n"), partial, 0);
}

/** The text without its marks, in one line: for previews and notifications. */
export function markdownToText(text: string): string {
  return parseMarkdown(text).map(blockText).join(" ").replace(/\s+/g, " ").trim();
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "code":
      return block.text;
    case "rule":
      return "";
    case "quote":
      return block.children.map(blockText).join(" ");
    case "list":
      return block.items
        .map((item) => `${inlineText(item.text)} ${item.children.map(blockText).join(" ")}`)
        .join(" ");
    case "table":
      return [block.head, ...block.rows].flat().map(inlineText).join(" ");
    default:
      return inlineText(block.text);
  }
}

const inlineText = (nodes: readonly Inline[]): string =>
  nodes
    .map((node) =>
      typeof node === "string" ? node : node.kind === "code" ? node.text : inlineText(node.children),
    )
    .join("");

// --- Blocks

function parseBlocks(lines: readonly string[], partial: boolean, depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const inline = (text: string) => parseInline(text, partial);
  const endParagraph = () => {
    if (paragraph.length) blocks.push({ kind: "paragraph", text: inline(paragraph.join("\n").trim()) });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = HEADING.exec(line);
    const fence = FENCE.exec(line)?.[1];
    const isQuote = QUOTE.test(line) && depth < MAX_DEPTH;
    const isItem = LIST_ITEM.test(line) && depth < MAX_DEPTH;
    const isTable = line.includes("|") && isDelimiterRow(lines[at + 1] ?? "");
    const isBlank = !line.trim();
    const rule = isRule(line);
    if (!isBlank && !heading && !fence && !isQuote && !isItem && !isTable && !rule) {
      paragraph.push(line);
      at += 1;
      continue;
    }
    endParagraph();
    if (rule) {
      blocks.push({ kind: "rule" });
      at += 1;
    } else if (fence) {
      const end = findFenceEnd(lines, at, fence);
      blocks.push(codeBlock(lines, at, end));
      at = end + 1;
    } else if (heading) {
      blocks.push({ kind: "heading", text: inline(trimEnd(heading[1] ?? "", " #")) });
      at += 1;
    } else if (isQuote) {
      const inner: string[] = [];
      for (; at < lines.length && QUOTE.test(lines[at] ?? ""); at += 1) {
        inner.push((lines[at] ?? "").replace(/^ {0,3}> ?/, ""));
      }
      blocks.push({ kind: "quote", children: parseBlocks(inner, partial, depth + 1) });
    } else if (isItem) {
      at = parseList(lines, at, blocks, partial, depth);
    } else if (isTable) {
      const head = splitCells(line).map(inline);
      const rows: Inline[][][] = [];
      for (at += 2; at < lines.length && (lines[at] ?? "").includes("|"); at += 1) {
        rows.push(splitCells(lines[at] ?? "").map(inline));
      }
      blocks.push({ kind: "table", head, rows });
    } else {
      at += 1;
    }
  }
  endParagraph();
  return blocks;
}

/** The index of the line that closes the fence; the number of lines when none does. */
function findFenceEnd(lines: readonly string[], start: number, fence: string): number {
  for (let at = start + 1; at < lines.length; at += 1) {
    const line = (lines[at] ?? "").trim();
    if (line.length >= fence.length && line.startsWith(fence) && !trimEnd(line, fence[0] ?? "")) return at;
  }
  return lines.length;
}

function codeBlock(lines: readonly string[], start: number, end: number): Block {
  const indent = indentOf(lines[start] ?? "");
  const code = lines.slice(start + 1, end).map((line) => line.slice(Math.min(indent, indentOf(line))));
  return { kind: "code", text: code.join("\n") };
}

/** Reads a list with its nested lists. Adds it to `blocks` and returns the index of the line after it. */
function parseList(
  lines: readonly string[],
  start: number,
  blocks: Block[],
  partial: boolean,
  depth: number,
): number {
  type List = Extract<Block, { kind: "list" }>;
  type Level = { indent: number; ordered: boolean; list: List; parent: Block[] };
  const levels: Level[] = [];
  // The lines of each item are parsed once, when all are known.
  const texts = new Map<ListItem, string[]>();
  let item: ListItem | undefined;
  let at = start;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const match = LIST_ITEM.exec(line);
    if (match) {
      const indent = indentOf(line);
      const ordered = match[3] !== undefined;
      while (levels.length > 1 && indent < (levels.at(-1)?.indent ?? 0)) levels.pop();
      let level = levels.at(-1);
      const isNested = level && item && indent >= level.indent + 2 && levels.length + depth < MAX_DEPTH;
      if (!level || isNested || level.ordered !== ordered) {
        const parent: Block[] = level ? (isNested && item ? item.children : level.parent) : blocks;
        const list: List = { kind: "list", start: ordered ? Number(match[3]) : null, items: [] };
        parent.push(list);
        if (level && !isNested) levels.pop();
        level = { indent, ordered, list, parent };
        levels.push(level);
      }
      item = { text: [], children: [] };
      level.list.items.push(item);
      texts.set(item, [(match[4] ?? "").replace(TASK, (_, done) => (done === " " ? "☐ " : "☑ "))]);
      continue;
    }
    const fence = FENCE.exec(line)?.[1];
    const isIndented = indentOf(line) >= 2;
    if (fence && isIndented && item) {
      const end = findFenceEnd(lines, at, fence);
      item.children.push(codeBlock(lines, at, end));
      at = end;
      continue;
    }
    if (!line.trim()) {
      const next = lines[at + 1] ?? "";
      if (LIST_ITEM.test(next) || (next.trim() && indentOf(next) >= 2)) continue;
      break;
    }
    const startsBlock = fence || HEADING.test(line) || QUOTE.test(line) || isRule(line) || line.includes("|");
    if (!isIndented && (startsBlock || !(lines[at - 1] ?? "").trim())) break;
    if (item) texts.get(item)?.push(line.trim());
  }
  for (const [one, text] of texts) one.text = parseInline(text.join("\n").trim(), partial);
  return at;
}

const isRule = (line: string): boolean => /^(?:-{3,}|\*{3,}|_{3,})$/.test(line.replace(/\s/g, ""));

const indentOf = (line: string): number => {
  let width = 0;
  while (line[width] === " " || line[width] === "\t") width += 1;
  return width;
};

/** The text without those of `characters` that stand at its end. */
function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] ?? "")) end -= 1;
  return text.slice(0, end);
}

const isDelimiterRow = (line: string): boolean =>
  line.includes("-") && line.includes("|") && splitCells(line).every((cell) => /^:?-+:?$/.test(cell));

/** The cells of a table's row. "\|" is a character of the cell. */
function splitCells(line: string): string[] {
  const row = line.trim();
  const cells: string[] = [];
  let start = row.startsWith("|") ? 1 : 0;
  for (let at = start; at < row.length; at += 1) {
    if (row[at] === "\\") at += 1;
    else if (row[at] === "|") {
      cells.push(row.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (start < row.length) cells.push(row.slice(start).trim());
  return cells;
}

// --- Inline

/** What is open at a point of the text. Each kind is open at most once, and links MAX_OPEN_LINKS times: a small stack. */
interface Frame {
  kind: "root" | "strong" | "em" | "del" | "link";
  /** The mark that opened it: it becomes text when nothing closes it. */
  mark: string;
  nodes: Inline[];
}

const EMPHASIS = "*_~";
/** After a backslash: punctuation, and the end of a line, which then is a line break. */
const ESCAPABLE = /[!-/:-@[-`{-~\n]/;
const SPECIAL = /[\\`*_~[\]!<&hHwW]/g;
const MAX_OPEN_LINKS = 3;
const ENTITY = /&(?:amp|lt|gt|quot|apos|nbsp|#39|#x27);/iy;
const ENTITIES: Record<string, string> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&nbsp;": "\u00a0",
};
const BARE_URL = /(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^]+/iy;
const BARE_URL_IN_LINK = /(?:https?:\/\/|www\.)[^\s<>"'`{}|\\^[\]()]+/iy;
const LINE_BREAK = /<br ?\/?>/iy;
const URL_PUNCTUATION = ".,;:!?…'\"»”*_~。，、；：！？」』";

function parseInline(text: string, partial: boolean): Inline[] {
  const codeEnds = findBacktickRuns(text);
  const stack: Frame[] = [{ kind: "root", mark: "", nodes: [] }];
  const top = () => stack.at(-1) as Frame;
  const append = (nodes: Inline[], node: Inline) => {
    const last = nodes.length - 1;
    const before = nodes[last];
    if (typeof node === "string" && typeof before === "string") nodes[last] = before + node;
    else if (node !== "") nodes.push(node);
  };
  const add = (node: Inline) => append(top().nodes, node);
  /** Turns an open mark back into text. */
  const dissolve = (index: number) => {
    const [frame] = stack.splice(index, 1);
    const parent = stack[index - 1];
    if (!frame || !parent) return;
    append(parent.nodes, frame.mark);
    for (const node of frame.nodes) append(parent.nodes, node);
  };
  /** Ends the frame at `index`; what was opened after it and is not closed is text. */
  const close = (index: number): Inline[] => {
    while (stack.length > index + 1) dissolve(stack.length - 1);
    return stack.pop()?.nodes ?? [];
  };
  const indexOf = (kind: Frame["kind"]) => stack.findIndex((frame) => frame.kind === kind);
  const innermostLink = () => stack.findLastIndex((frame) => frame.kind === "link");

  let at = 0;
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    add(text.slice(at, next));
    at = next;
    const character = text[at];
    if (character === undefined) break;
    if (character === "\\" && ESCAPABLE.test(text[at + 1] ?? "")) {
      add(text[at + 1] ?? "");
      at += 2;
    } else if (character === "`") {
      const run = runLength(text, at, "`");
      const end = nextRun(codeEnds, run, at + run);
      if (end === undefined && !partial) {
        add(text.slice(at, at + run));
        at += run;
      } else {
        const code = text.slice(at + run, end ?? text.length);
        const isPadded = code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "";
        if (code) add({ kind: "code", text: isPadded ? code.slice(1, -1) : code });
        at = end === undefined ? text.length : end + run;
      }
    } else if (EMPHASIS.includes(character)) {
      at = readEmphasis(at, character);
    } else if (character === "[" || (character === "!" && text[at + 1] === "[")) {
      const mark = character === "[" ? "[" : "![";
      if (stack.filter(({ kind }) => kind === "link").length === MAX_OPEN_LINKS) dissolve(indexOf("link"));
      stack.push({ kind: "link", mark, nodes: [] });
      at += mark.length;
    } else if (character === "]" && indexOf("link") > 0) {
      at = readLinkEnd(at);
    } else if (character === "<") {
      at = readAngle(at);
    } else if (character === "&") {
      ENTITY.lastIndex = at;
      const entity = ENTITY.exec(text)?.[0] ?? character;
      add(entity === character ? character : (ENTITIES[entity.toLowerCase()] ?? "'"));
      at += entity.length;
    } else if (/[hw]/i.test(character) && !/\w/.test(text[at - 1] ?? " ")) {
      // Marks inside a URL are part of it.
      const pattern = indexOf("link") > 0 ? BARE_URL_IN_LINK : BARE_URL;
      pattern.lastIndex = at;
      const url = trimPunctuation(pattern.exec(text)?.[0] ?? "", URL_PUNCTUATION) || character;
      add(url);
      at += url.length;
    } else {
      add(character);
      at += 1;
    }
  }
  // A link that was cut off shows its text.
  for (let open = indexOf("link"); open > 0 && partial; open = indexOf("link")) {
    const nodes = close(open);
    for (const node of nodes) add(node);
  }
  while (stack.length > 1) {
    const frame = top();
    if (partial && frame.kind !== "link" && frame.kind !== "root" && frame.nodes.length) {
      stack.pop();
      add({ kind: frame.kind, children: frame.nodes });
    } else if (partial && !frame.nodes.length) stack.pop();
    else dissolve(stack.length - 1);
  }
  return top().nodes;

  /** Opens or closes emphasis. Returns the position after the marks. */
  function readEmphasis(start: number, character: string): number {
    const length = runLength(text, start, character);
    const end = start + length;
    const before = text[start - 1] ?? " ";
    const after = text[end] ?? " ";
    const insideWord = /\w/.test(before) && /\w/.test(after);
    const canOpen = /\S/.test(after) && !insideWord;
    const canClose = /\S/.test(before);
    const isStrikethrough = character === "~";
    let left = length;
    // "**bold**text": what a word's beginning has opened ends in the middle of a word, too.
    const endsInWord = insideWord && character === "*" && length === 2;
    if (length > 3 || (insideWord && !endsInWord) || (isStrikethrough && length !== 2)) {
      add(text.slice(start, end));
      return end;
    }
    while (canClose && left > 0) {
      const index = stack.findLastIndex(
        ({ mark, kind }) => kind !== "link" && mark[0] === character && mark.length <= left,
      );
      const frame = stack[index];
      if (!frame || index < 1) break;
      left -= frame.mark.length;
      const children = close(index);
      if (frame.kind !== "root" && frame.kind !== "link") add({ kind: frame.kind, children });
    }
    if (canOpen) {
      for (const size of [2, 1]) {
        if (left < size || (left === 2 && size === 1)) continue;
        const kind = isStrikethrough ? "del" : size === 2 ? "strong" : "em";
        if (indexOf(kind) > 0) continue;
        stack.push({ kind, mark: character.repeat(size), nodes: [] });
        left -= size;
      }
    }
    add(character.repeat(left));
    return end;
  }

  /** Reads "](url)". Returns the position after it. */
  function readLinkEnd(start: number): number {
    const index = innermostLink();
    const target = text[start + 1] === "(" ? readTarget(text, start + 2, partial) : undefined;
    const isCutOff = partial && (start + 1 === text.length || target?.end === text.length);
    if (!target?.complete && !isCutOff) {
      dissolve(index);
      add("]");
      return start + 1;
    }
    const isImage = stack[index]?.mark === "![";
    const children = close(index);
    const end = target?.end ?? start + 1;
    // An image that is a link, and half a link, show their text only.
    if (!target?.complete || (isImage && indexOf("link") > 0)) for (const node of children) add(node);
    else {
      // A link contains no link: the outer one is text.
      while (indexOf("link") > 0) dissolve(indexOf("link"));
      for (const node of buildLink(children, target.url)) add(node);
    }
    return end;
  }

  /** Reads "<https://…>" and "<br>"; any other "<" is text. */
  function readAngle(start: number): number {
    LINE_BREAK.lastIndex = start;
    const lineBreak = LINE_BREAK.exec(text)?.[0];
    if (lineBreak) {
      add("\n");
      return start + lineBreak.length;
    }
    BARE_URL.lastIndex = start + 1;
    const url = BARE_URL.exec(text)?.[0];
    if (url && text[start + 1 + url.length] === ">") {
      add(url);
      return start + url.length + 2;
    }
    add("<");
    return start + 1;
  }
}

/** A link, or its text where the target is none; a target that is no script is shown, so that nothing is lost. */
function buildLink(children: Inline[], url: string): Inline[] {
  const href = toTargetUrl(url);
  if (!href) return url && !SCHEME.test(url) ? [...children, ` (${url})`] : children;
  const text = inlineText(children).trim();
  return [{ kind: "link", href, children: text && !isMisleading(text, href) ? children : [url] }];
}

const SCHEME = /^[^/.?#]{0,30}:/;
const EMAIL = /^[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}$/;
const PHONE = /^tel:[+\d().-]{3,30}$/i;

/** The address of what a model writes as a link's target. */
function toTargetUrl(url: string): string | undefined {
  if (PHONE.test(url)) return url;
  if (EMAIL.test(url)) return `mailto:${url}`;
  return toSafeUrl(/^www\./i.test(url) ? `https://${url}` : url);
}

/** Whether a link's text is the address of another host. */
function isMisleading(text: string, href: string): boolean {
  if (!/^(?:https?:\/\/|www\.)\S+$/i.test(text)) return false;
  const shown = toTargetUrl(text);
  return !shown || new URL(shown).host !== new URL(href).host;
}

/**
 * The target of a link from after its "(", with an optional title, which is not used. It cannot contain "[": so no
 * part of the text is read for two links. Models leave spaces around it, and are cut off before its end.
 */
function readTarget(
  text: string,
  start: number,
  partial: boolean,
): { url: string; end: number; complete: boolean } {
  let depth = 0;
  let from = start;
  while (from < start + MAX_TARGET_SPACES && /\s/.test(text[from] ?? "")) from += 1;
  let end = from;
  for (; end < text.length; end += 1) {
    const character = text[end] ?? "";
    if (character === "(") depth += 1;
    if (character === ")") {
      if (depth === 0) break;
      depth -= 1;
    }
    if (character === "[" || /\s/.test(character)) break;
  }
  const url = text.slice(from, end).replace(/^</, "").replace(/>$/, "");
  if (text[end] === ")") return { url, end: end + 1, complete: true };
  TARGET_END.lastIndex = end;
  if (TARGET_END.test(text)) return { url, end: TARGET_END.lastIndex, complete: true };
  const isUrl = /^https?:\/\/./i.test(url) && text[end] !== "[";
  return { url, end, complete: isUrl && (!partial || end < text.length) };
}

const MAX_TARGET_SPACES = 4;
const TARGET_END = /\s{1,4}(?:(?:"[^"[\n]*"|'[^'[\n]*')\s{0,4})?\)/y;

/** The positions of all runs of backticks, by their length. */
function findBacktickRuns(text: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const { index, 0: run } of text.matchAll(/`+/g)) {
    const same = runs.get(run.length);
    if (same) same.push(index);
    else runs.set(run.length, [index]);
  }
  // Taken from the end as the text is read.
  for (const positions of runs.values()) positions.reverse();
  return runs;
}

function nextRun(runs: Map<number, number[]>, length: number, from: number): number | undefined {
  const positions = runs.get(length) ?? [];
  while ((positions.at(-1) ?? from) < from) positions.pop();
  return positions.at(-1);
}

function runLength(text: string, start: number, character: string): number {
  let end = start;
  while (text[end] === character) end += 1;
  return end - start;
}
