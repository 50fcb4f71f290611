/** Selections in a text field, and changes of its text that the browser's undo takes back. */

export interface TextRange {
  start: number;
  end: number;
}

export const getSelection = (field: HTMLTextAreaElement): TextRange => ({
  start: field.selectionStart,
  end: field.selectionEnd,
});

/** Replaces a part of the field's text as typing would, so that the browser's undo takes it back. */
export function replaceText(field: HTMLTextAreaElement, { start, end }: TextRange, inserted: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  // Deprecated, and the only way that undo knows of.
  if (document.execCommand?.("insertText", false, inserted)) return;
  field.setRangeText(inserted, start, end, "end");
}
