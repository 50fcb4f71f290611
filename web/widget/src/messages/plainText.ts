/** What previews show of an AI's message. */

/** A mark inside a word or between spaces is none: "order_id", "no. #5", "2 * 3". */
const MARKDOWN_MARKS =
  /\]\([^)\s]{0,500}\)|^ {0,3}(?:#{1,6}|>) |[`[]|~~|(?<![\p{L}\p{N}_])_{1,3}|_{1,3}(?![\p{L}\p{N}_])|\*{1,3}(?! )|(?<=\S)\*{1,3}/gmu;

/** The text without the marks of Markdown. */
export const withoutMarks = (text: string): string => text.replace(MARKDOWN_MARKS, "");
