/** Contrast of two colours as WCAG 2 defines it. Colours are six hex digits: "#1d6b63". */

/** WCAG 2 AA for normal text. */
export const MIN_CONTRAST = 4.5;

/** Relative luminance, from 0 (black) to 1 (white). */
export function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The first of some colours that is readable on a background: black or white is, on any. */
export function readableColour(background: string, ...preferred: string[]): string {
  const choices = [...preferred, "#ffffff", "#000000"];
  return choices.find((colour) => contrast(colour, background) >= MIN_CONTRAST) as string;
}
