/** Times in the browser's language. The panel has the operator's: `panel/src/i18n/formats.ts`. */

const timeFormat = /* @__PURE__ */ new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export const formatTime = (iso: string): string => timeFormat.format(new Date(iso));
