/** What previews show of an AI's message. */
const MARKDOWN_MARKS = /\]\([^)\s]{0,500}\)|[*_`#>~[]/g;

/** The text without the marks of Markdown. */
export const withoutMarks = (text: string): string => text.replace(MARKDOWN_MARKS, "");
