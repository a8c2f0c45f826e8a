import type { Shade } from "../../draw/shade.ts";
import { type Matrices, type Matrix, panelsOf } from "../../server/matrix.ts";
import type { Panel } from "../../widgets/panels.ts";

/** Small pictures of all layers as one, and of each. */
export function layerPanels(
  all: readonly Matrices[],
  shadeOf: (matrix: Matrix) => Shade,
): Panel[] {
  return all.flatMap(panelsOf).map((matrix, index) => {
    const name = index === 0 ? "All layers" : `Layer ${index - 1}`;
    const key = index === 0 ? "all" : String(index - 1);
    return { key, name, caption: name, matrix, shade: shadeOf(matrix) };
  });
}
