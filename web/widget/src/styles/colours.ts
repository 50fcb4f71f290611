/** The widget's colours: the site's two, and readable ones derived from them. */
import type { ParleyTheme } from "../../../packages/widget/parley";
import { luminance, readableColour } from "../../../shared/contrast";

const HEX = /^#[0-9a-f]{6}$/i;
const DEFAULT_PRIMARY = "#1d6b63";
const DEFAULT_BACKGROUND = "#ffffff";
const DARK_BACKGROUND = "#16201e";
/** On a darker colour white is readable, on a lighter one black. */
const MAX_DARK_LUMINANCE = 0.179;

/**
 * The CSS variables of a site's colours. A colour that is not six hex digits is replaced by the default. Without a
 * theme, it is as dark or light as the site's background.
 */
export function colourVariables(
  colours: { primary?: string; background?: string },
  theme?: ParleyTheme,
): string {
  const primary = validColour(colours.primary, DEFAULT_PRIMARY);
  const own = validColour(colours.background, DEFAULT_BACKGROUND);
  const variables = (isDark: boolean) => {
    const background = isDark === isDarkColour(own) ? own : isDark ? DARK_BACKGROUND : DEFAULT_BACKGROUND;
    const mix = (percent: number) =>
      `color-mix(in srgb,${isDark ? "#fff" : "#0b1f1c"} ${percent}%,${background})`;
    return `:host{color-scheme:${isDark ? "dark" : "light"};--accent:${primary};--on-accent:${readableColour(primary, "#ffffff", "#10201d")};\
--background:${background};--text:${readableColour(background, isDark ? "#f2f5f4" : "#17211f")};\
--muted:${readableColour(background, isDark ? "#b9c3c1" : "#55625f")};\
--surface:${mix(isDark ? 13 : 6)};--border:${mix(16)};--control-border:${mix(52)}}`;
  };
  if (theme === "auto") return `${variables(false)}@media(prefers-color-scheme:dark){${variables(true)}}`;
  return variables(theme ? theme === "dark" : isDarkColour(own));
}

const isDarkColour = (colour: string): boolean => luminance(colour) < MAX_DARK_LUMINANCE;

const validColour = (colour: string | undefined, fallback: string): string =>
  colour && HEX.test(colour) ? colour : fallback;
