import { captionOf, type Exhibit } from "./exhibit.ts";

/** A drawing as an HTML page that needs no server, with a description of the cell under the pointer. */
export function htmlFile(exhibit: Exhibit, drawing: SVGSVGElement): Blob {
  const title = escaped(`${exhibit.heading.name} · ${captionOf(exhibit)}`);
  // "<" in a string of JSON can be written so, and no text of a prompt can end the script.
  const numbers = JSON.stringify(numbersOf(exhibit)).replaceAll("<", "\\u003c");
  const { backgroundColor } = getComputedStyle(document.body);
  return new Blob([
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { margin: 1rem; background: ${backgroundColor}; font: 14px/1.5 sans-serif }
svg { max-width: 100%; height: auto }
svg text { pointer-events: none }
#tip { position: fixed; padding: 4px 8px; border-radius: 6px; background: #221a24; color: #fff; pointer-events: none }
</style>
${new XMLSerializer().serializeToString(drawing)}
<p><a href="${escaped(location.href)}">The page with this picture</a></p>
<div id="tip" hidden></div>
<script type="application/json" id="numbers">${numbers}</script>
<script>(${sayOnHover})()</script>
</html>
`,
  ], { type: "text/html;charset=utf-8" });
}

/** Only of a picture whose cells are one image: others say it themselves. */
function numbersOf({ matrix }: Exhibit): unknown {
  if (!matrix) return null;
  const { tokens, values, positions } = matrix;
  const rows = Array.from(
    { length: positions },
    (_, target) =>
      Array.from(
        values.subarray(target * positions, target * positions + target + 1),
        (weight) => Number(weight.toPrecision(3)),
      ),
  );
  return { tokens, rows };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Runs in the file, where nothing of this module is. */
function sayOnHover(): void {
  const tip = document.getElementById("tip")!;
  const data = JSON.parse(document.getElementById("numbers")!.textContent) as
    | { tokens: string[]; rows: number[][] }
    | null;
  const says = (target: EventTarget | null, x: number, y: number): string | null | undefined => {
    if (!(target instanceof Element)) return undefined;
    if (data && target.matches(".cells image")) {
      const box = target.getBoundingClientRect();
      const cell = box.width / data.tokens.length;
      const [row, column] = [Math.floor((y - box.top) / cell), Math.floor((x - box.left) / cell)];
      const weight = data.rows[row]?.[column];
      return weight === undefined
        ? undefined
        : `${data.tokens[row]} takes ${(100 * weight).toPrecision(3)}% from ${data.tokens[column]}`;
    }
    const said = target.closest("[data-says]");
    return said?.getAttribute("data-says");
  };
  document.addEventListener("pointermove", ({ target, clientX, clientY }) => {
    const text = says(target, clientX, clientY);
    tip.hidden = !text;
    tip.textContent = text ?? "";
    tip.style.left = `${Math.max(4, Math.min(clientX + 12, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${clientY + 16}px`;
  });
}
