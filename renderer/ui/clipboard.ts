/**
 * Text into the clipboard through the page's own copy event: it needs a user's act and no permission, so it works the same in the browser
 * and in Electron, where asking for clipboard permissions is refused. Reading is never done; a paste comes as an event.
 */
export function copyText(text: string): void {
  const onCopy = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData("text/plain", text);
  };
  // Without a selection of the page's own the command is off, unless somebody claims to have something to copy.
  const onBefore = (event: Event) => event.preventDefault();
  document.addEventListener("beforecopy", onBefore, { capture: true });
  document.addEventListener("copy", onCopy, { capture: true });
  document.execCommand("copy");
  document.removeEventListener("copy", onCopy, { capture: true });
  document.removeEventListener("beforecopy", onBefore, { capture: true });
}
