/**
 * The only user of `ipcMain`: one wrapper with a closed list of channels, each with its schema, and a check of who sends. Everything a
 * window has to say goes over its message port; the one channel here only asks for that port.
 */
import { type IpcMainEvent, ipcMain, type WebContents } from "electron";
import { z } from "zod";
import { isOwnPage } from "./own-page.js";

/** Every channel there is, with what it may carry. */
const channels = {
  /** A page is loaded and listens: it wants its port. */
  "muxdeck:ready": z.tuple([]),
} as const;
type Channel = keyof typeof channels;

/** Registers the one handler of a channel. Called once a channel. What does not fit, or comes from elsewhere, is dropped. */
export function onMessage(channel: Channel, handler: (from: WebContents) => void): void {
  ipcMain.on(channel, (event: IpcMainEvent, ...args: unknown[]) => {
    if (fromOwnPage(event) && channels[channel].safeParse(args).success) handler(event.sender);
  });
}

/** Our page, in the top frame of its window: not a frame in it, not a page it was left for. */
function fromOwnPage(event: IpcMainEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame !== undefined && frame === event.sender.mainFrame && isOwnPage(frame.url);
}
