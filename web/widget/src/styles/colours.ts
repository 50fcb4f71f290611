/** The widget's colours: the site's two, and readable ones derived from them. */

const HEX = /^#[0-9a-f]{6}$/i;
const DEFAULT_PRIMARY = "#1d6b63";
const DEFAULT_BACKGROUND = "#ffffff";
/** WCAG 2 AA for normal text. */
const MIN_CONTRAST = 4.5;
const MAX_DARK_LUMINANCE = 0.35;

/** The CSS variables of a site's colours. A colour that is not six hex digits is replaced by the default. */
export function colourVariables(colours: { primary?: string; background?: string }): string {
  const primary = validColour(colours.primary, DEFAULT_PRIMARY);
  const background = validColour(colours.background, DEFAULT_BACKGROUND);
  const dark = luminance(background) < MAX_DARK_LUMINANCE;
  const mix = (percent: number) =>
    `color-mix(in srgb,${dark ? "#fff" : "#0b1f1c"} ${percent}%,${background})`;
  return `:host{--accent:${primary};--on-accent:${textColour(primary)};--background:${background};\
--text:${dark ? "#f2f5f4" : "#17211f"};--muted:${dark ? "#b9c3c1" : "#55625f"};\
--surface:${mix(dark ? 13 : 6)};--border:${mix(16)};--control-border:${mix(52)}}`;
}

const validColour = (colour: string | undefined, fallback: string): string =>
  colour && HEX.test(colour) ? colour : fallback;

/** White when it has enough contrast on a colour, else almost black. */
function textColour(background: string): string {
  return 1.05 / (luminance(background) + 0.05) >= MIN_CONTRAST ? "#ffffff" : "#10201d";
}

/** Relative luminance as defined by WCAG, from 0 (black) to 1 (white). */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
