/**
 * The terminal's colours, read from the tokens (ui/tokens.css), where alone they stand. Owns the translation to xterm's theme and to the
 * colours by which the agent answers a program's questions.
 */
import type { ITheme } from "@xterm/xterm";
import type { Colours } from "../../link/messages.js";

export interface TerminalColours {
  theme: ITheme;
  colours: Colours;
}

/** Reads the tokens as they stand now: after a change of theme it has to be read again. */
export function readColours(): TerminalColours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => sixDigits(style.getPropertyValue(`--${name}`).trim());
  const palette = Array.from({ length: 16 }, (_, index) => token(`ansi-${index}`));
  const [black, red, green, yellow, blue, magenta, cyan, white, ...bright] = palette;
  const [brightBlack, brightRed, brightGreen, brightYellow, brightBlue, brightMagenta, brightCyan, brightWhite] = bright;
  const named = {
    black,
    red,
    green,
    yellow,
    blue,
    magenta,
    cyan,
    white,
    brightBlack,
    brightRed,
    brightGreen,
    brightYellow,
    brightBlue,
    brightMagenta,
    brightCyan,
    brightWhite,
  };
  const theme: ITheme = {
    background: token("pane"),
    foreground: token("text"),
    cursor: token("cursor"),
    cursorAccent: token("pane"),
    selectionBackground: token("selection"),
    selectionInactiveBackground: token("selection"),
    scrollbarSliderBackground: token("scroll"),
    scrollbarSliderHoverBackground: token("scroll-on"),
    scrollbarSliderActiveBackground: token("scroll-on"),
  };
  for (const [name, value] of Object.entries(named)) if (value !== undefined) Object.assign(theme, { [name]: value });
  return { theme, colours: { foreground: token("text"), background: token("pane"), cursor: token("cursor"), palette } };
}

/** The bundler writes `#ffffff` as `#fff`; the protocol knows six digits only. */
function sixDigits(colour: string): string {
  return /^#[0-9a-f]{3}$/i.test(colour) ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
}
