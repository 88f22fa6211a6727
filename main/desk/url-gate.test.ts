/** The gate of `open-link`: what may be opened outside, against addresses a hostile program could print. */
import { describe, expect, it } from "vitest";
import { gateUrl } from "./url-gate.js";

const good: [string, string][] = [
  ["https://example.org", "https://example.org/"],
  ["http://example.org/a?b=c#d", "http://example.org/a?b=c#d"],
  ["HTTPS://EXAMPLE.ORG/", "https://example.org/"],
  ["http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"],
  ["http://[::1]:3000/", "http://[::1]:3000/"],
  ["https://bücher.example/", "https://xn--bcher-kva.example/"],
  ["https://example.org/@name", "https://example.org/@name"],
];

const hostile = [
  "",
  " ",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\nscript:alert(1)",
  "\u0000https://example.org",
  "https://example.org\u0000.evil.example",
  "https://example.org\r\nX: y",
  "https://example.org/\tx",
  " https://example.org",
  "https://example.org ",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "file:///etc/passwd",
  "file://host/share",
  "FILE:///etc/passwd",
  "ftp://example.org/",
  "ssh://root@example.org",
  "telnet://example.org",
  "mailto:a@example.org",
  "smb://host/share",
  "\\\\host\\share",
  "//host/share",
  "///etc/passwd",
  "/etc/passwd",
  "C:\\Windows\\system32\\calc.exe",
  "c:/windows/system32/calc.exe",
  "https:example.org",
  "http:\\\\example.org",
  "https:/example.org",
  "https:///example.org",
  "https://\\example.org",
  "https://good.example\\@evil.example",
  "https://user@example.org",
  "https://user:secret@example.org",
  "https://@example.org",
  "https://:@example.org/",
  "https://good.example:pw@evil.example/",
  "ms-msdt:/id PCWDiagnostic",
  "search-ms:query=x",
  "ms-officecmd:{}",
  "vscode://file/etc/passwd",
  "tabby://run?command=id",
  "muxdeck://attach/1",
  "app://muxdeck/index.html",
  "about:blank",
  "chrome://settings",
  "view-source:https://example.org",
  "blob:https://example.org/1",
  "filesystem:https://example.org/temporary/x",
  "jar:https://example.org!/x",
  "x-apple.systempreferences:",
  "intent://scan/#Intent;end",
  "https://exa\u202Emple.org/",
  "https://example.org/\u200Bpath",
  "https://example.org:99999/",
  "https://[::1",
  "https://",
  "http://?",
  `https://example.org/${"a".repeat(2048)}`,
];

describe("gateUrl", () => {
  it.each(good)("opens %s", (text, href) => {
    expect(gateUrl(text)).toEqual({ ok: true, value: href });
  });

  it.each(hostile)("refuses %j", (text) => {
    const result = gateUrl(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error.code).toBe("invalid");
  });

  it("was asked about at least fifty hostile addresses", () => {
    expect(hostile.length).toBeGreaterThanOrEqual(50);
  });
});
