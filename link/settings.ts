/**
 * The settings and their defaults: one schema for the file, the desk and the settings page. A value that does not fit falls back to its
 * default and is reported; the file is never rewritten for it.
 */
import { z } from "zod";

export const settingsVersion = 1;

export const settingsSchema = z.object({
  version: z.literal(settingsVersion),
  "appearance.theme": z.enum(["system", "dark", "light"]).default("system"),
  "terminal.fontSize": z.number().min(6).max(40).default(13),
  /** At least 1: without any, xterm 6.0.0 throws after a resize. */
  "terminal.scrollback": z.int().min(1).max(10_000).default(1000),
  /** Program and arguments of a new session; empty: the login shell. */
  "terminal.command": z.array(z.string()).default([]),
  "accessibility.screenReader": z.enum(["auto", "on", "off"]).default("auto"),
});
export type Settings = z.infer<typeof settingsSchema>;

export const defaultSettings: Settings = settingsSchema.parse({ version: settingsVersion });
