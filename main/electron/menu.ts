/**
 * The native menu: none on Linux and Windows, where its accelerators (Ctrl+R, Ctrl+W, F11 …) would take keys from programs. On macOS the
 * system expects one; it holds what the system does itself and no key that the page uses.
 */
import { Menu, type MenuItemConstructorOptions } from "electron";

export function setMenu(platform: string): void {
  Menu.setApplicationMenu(platform === "darwin" ? Menu.buildFromTemplate(macTemplate) : null);
}

/** Close, reload and zoom are the page's: ⌘W closes a pane, not the window. */
const macTemplate: MenuItemConstructorOptions[] = [
  { role: "appMenu" },
  {
    label: "Edit",
    submenu: [
      { role: "undo" },
      { role: "redo" },
      { type: "separator" },
      { role: "cut" },
      { role: "copy" },
      { role: "paste" },
      { role: "selectAll" },
    ],
  },
  { label: "Window", submenu: [{ role: "minimize" }, { role: "zoom" }, { type: "separator" }, { role: "front" }] },
];
