/**
 * The few colours that the system draws for us, before and around the page: window background and title bar overlay. Owns nothing else;
 * the page's tokens are the renderer's (interface, "Tokens": `ground` and `text-2`).
 */
import type { Settings } from "../../link/settings.js";

export interface WindowColours {
  /** Shown before the first frame: the page's own ground, so that nothing flashes. */
  ground: string;
  /** Symbols of the window controls. */
  controls: string;
}

/** Height of the page's title strip, in which the controls stand. */
export const titleStripHeight = 40;

export function windowColours(theme: Settings["appearance.theme"], systemIsDark: boolean): WindowColours {
  const dark = theme === "system" ? systemIsDark : theme === "dark";
  return dark ? { ground: "#0C0E12", controls: "#B4BECB" } : { ground: "#E9ECF1", controls: "#3F4957" };
}
