/** The strip at the top: brand, sidebar switch, tabs, new session, settings. Owns the few settings that need no page of their own. */
import { PanelLeft, Plus, Settings as SettingsIcon } from "lucide-react";
import { changeFont, keyOf, toggleSidebar } from "../deck/actions.js";
import { useDeck } from "../deck/deck.js";
import { startSession } from "../deck/sessions.js";
import { useDeckState } from "../deck/state.js";
import { anchorAt, Menu, type MenuItem, useFloat } from "../ui/menu.js";
import { TabStrip } from "./tab-strip.js";

const look = { size: 16, strokeWidth: 1.75 };

export function Logo({ large = false }: { large?: boolean }) {
  return (
    <span className={`logo${large ? " logo-large" : ""}`} aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

export function TitleStrip({ sidebarShown }: { sidebarShown: boolean }) {
  const deck = useDeck();
  const narrow = useDeckState((state) => state.narrow);
  const bar = window.muxdeck?.titleBar ?? "frame";
  const style = bar === "overlay" ? " title-overlay" : bar === "inset" ? " title-overlay title-inset" : "";
  const side = sidebarShown ? "Hide sidebar" : "Show sidebar";
  return (
    <header className={`title${style}`}>
      <div className={`brand${sidebarShown && !narrow ? "" : " brand-narrow"}`}>
        <Logo />
        {sidebarShown && !narrow && <span className="grow">Muxdeck</span>}
        <button
          type="button"
          className="icon-button"
          aria-label={side}
          title={withKey(side, "sidebar")}
          onClick={() => toggleSidebar(deck)}
        >
          <PanelLeft {...look} />
        </button>
      </div>
      <TabStrip />
      <button
        type="button"
        className="icon-button"
        aria-label="New session"
        title={withKey("New session", "new-session")}
        onClick={() => void startSession(deck)}
      >
        <Plus {...look} />
      </button>
      <span className="grow" />
      <SettingsButton />
    </header>
  );
}

function withKey(name: string, action: string): string {
  const key = keyOf(action);
  return key === null ? name : `${name} (${key})`;
}

function SettingsButton() {
  const deck = useDeck();
  const menu = useFloat();
  const theme = useDeckState((state) => state.settings["appearance.theme"]);
  const size = useDeckState((state) => state.settings["terminal.fontSize"]);
  const themeItem = (value: typeof theme, label: string): MenuItem => ({
    kind: "radio",
    label,
    on: theme === value,
    run: () => deck.saveSettings({ "appearance.theme": value }),
  });
  const items: MenuItem[] = [
    themeItem("system", "Theme of the system"),
    themeItem("dark", "Dark theme"),
    themeItem("light", "Light theme"),
    { kind: "line" },
    { kind: "item", label: "Larger text", key: keyOf("larger-font"), run: () => changeFont(deck, 1) },
    { kind: "item", label: "Smaller text", key: keyOf("smaller-font"), run: () => changeFont(deck, -1) },
    { kind: "item", label: "Usual text size", key: keyOf("reset-font"), off: size === 13, run: () => changeFont(deck, 0) },
    { kind: "line" },
    { kind: "item", label: "All keys", run: () => deck.ask({ kind: "keys" }) },
  ];
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label="Settings"
        aria-haspopup="menu"
        aria-expanded={menu.anchor !== null}
        title="Settings"
        onClick={(event) => menu.open(anchorAt(event.currentTarget))}
      >
        <SettingsIcon {...look} />
      </button>
      {menu.anchor !== null && <Menu anchor={menu.anchor} onClose={menu.close} label="Settings" items={items} />}
    </>
  );
}
