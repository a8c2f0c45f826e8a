import { svg } from "../draw/elements.ts";
import { layOut } from "../draw/frame.ts";
import { drawSurroundings } from "../draw/heatmap_svg.ts";
import { paintMatrix } from "../draw/raster.ts";
import { coloursOf, factorOf, type Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import { cellSentence } from "../widgets/details.ts";
import type { Matrix } from "../server/matrix.ts";

/** With more tokens the cells are one image: as many rectangles would be megabytes. */
const MOST_RECTANGLES = 64;
const ROOM = 860;

/** Whether the cells of a matrix are drawn as one image. */
export function isImage({ positions }: Matrix): boolean {
  return positions > MOST_RECTANGLES;
}

/** A heatmap that stands for itself: labels, cells, legend. */
export function drawHeatmap(
  { matrix, shade, theme, width }: { matrix: Matrix; shade: Shade; theme: Theme; width: number },
): SVGSVGElement {
  const frame = layOut(matrix.tokens, { available: width, room: ROOM, font: theme.font });
  const { left, top, side, cell, height, width: drawn } = frame;
  const ramp = rampFor(theme, shade);
  const cells = svg("g", { class: "cells" });
  if (!isImage(matrix)) {
    for (let target = 0; target < matrix.positions; target++) {
      for (let source = 0; source <= target; source++) {
        if (shade.hidesSelf && source === target) continue;
        const weight = matrix.values[target * matrix.positions + source]!;
        const { back } = coloursOf(factorOf(shade.unit, target) * weight, shade, ramp);
        cells.append(svg("rect", {
          x: left + source * cell,
          y: top + target * cell,
          // No hairlines between cells.
          width: cell + 0.3,
          height: cell + 0.3,
          fill: back,
          "data-says": cellSentence(matrix, { target, source }),
        }));
      }
    }
  } else {
    const canvas = document.createElement("canvas");
    paintMatrix(canvas, matrix, { shade, ramp });
    cells.append(svg("image", {
      href: canvas.toDataURL("image/png"),
      x: left,
      y: top,
      width: side,
      height: side,
      "image-rendering": "pixelated",
      preserveAspectRatio: "none",
    }));
  }
  return svg(
    "svg",
    { viewBox: `0 0 ${Math.min(drawn, left + side + 8)} ${height}` },
    cells,
    drawSurroundings(matrix, { frame, shade, theme }),
  );
}
