/**
 * The terminal's font, whole files: the web subsets stop before box drawing, and lines would come from another font. Loaded before the
 * first emulator opens, or its cells are measured with the wrong one.
 */

import bold from "jetbrains-mono/fonts/webfonts/JetBrainsMonoNL-Bold.woff2?url";
import boldItalic from "jetbrains-mono/fonts/webfonts/JetBrainsMonoNL-BoldItalic.woff2?url";
import italic from "jetbrains-mono/fonts/webfonts/JetBrainsMonoNL-Italic.woff2?url";
import regular from "jetbrains-mono/fonts/webfonts/JetBrainsMonoNL-Regular.woff2?url";

/** As in `--font-mono`; the variant without ligatures goes by the family's name. */
export const terminalFont = '"JetBrains Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** A font that does not come must not keep the window from opening; the fallback is monospaced too. */
const patienceMs = 3000;

export async function loadFonts(): Promise<void> {
  const faces = [
    new FontFace("JetBrains Mono", `url(${regular})`, { weight: "400", style: "normal" }),
    new FontFace("JetBrains Mono", `url(${bold})`, { weight: "700", style: "normal" }),
    new FontFace("JetBrains Mono", `url(${italic})`, { weight: "400", style: "italic" }),
    new FontFace("JetBrains Mono", `url(${boldItalic})`, { weight: "700", style: "italic" }),
  ];
  for (const face of faces) document.fonts.add(face);
  const loading = [
    ...faces.map((face) => face.load()),
    document.fonts.load('13px "Inter Variable"'),
    document.fonts.load('600 13px "Inter Variable"'),
  ];
  await Promise.race([Promise.allSettled(loading), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
}
