import type { Shade } from "../draw/shade.ts";
import type { PageState } from "../page_state.ts";
import { toggled } from "../server/forecast.ts";
import { type Matrices, type Matrix, panelsOf } from "../server/matrix.ts";
import type { PanelsPicture } from "./panels.ts";
import type { Shown } from "./picture.ts";

/** The small multiples of a state: all layers and each of them, or every head. */
export function multiplesOf(
  { state, reading: { model } }: Shown,
  all: readonly Matrices[],
  shadeOf: (matrix: Matrix) => Shade,
): Omit<PanelsPicture, "ramp"> {
  const matrices = all.flatMap(panelsOf);
  const drawn = (matrix: Matrix): { matrix: Matrix; shade: Shade } => {
    return { matrix, shade: shadeOf(matrix) };
  };
  if (state.view === "heads" || state.view === "whatif") {
    const { heads } = model;
    const isWhatIf = state.view === "whatif";
    const off = new Set(isWhatIf ? state.off.split(",") : []);
    return {
      columns: heads,
      chosen: isWhatIf ? "" : `${state.layer ?? 0}.${state.head ?? 0}`,
      panels: matrices.map((matrix, index) => {
        const [layer, head] = [Math.floor(index / heads), index % heads];
        const key = `${layer}.${head}`;
        const name = `Layer ${layer}, head ${head}`;
        return { key, name, isOff: off.has(key), ...drawn(matrix) };
      }),
    };
  }
  return {
    chosen: String(state.layer ?? "all"),
    panels: matrices.map((matrix, index) => {
      const name = index === 0 ? "All layers" : `Layer ${index - 1}`;
      return {
        key: index === 0 ? "all" : String(index - 1),
        name,
        caption: name,
        ...drawn(matrix),
      };
    }),
  };
}

/** What the choice of a small picture makes of the state. */
export function chosenBy(key: string, { view, off }: PageState): Partial<PageState> {
  if (view === "whatif") return { off: toggled(off, key) };
  if (key === "all") return { layer: undefined };
  const [layer, head] = key.split(".").map(Number);
  return head === undefined ? { layer } : { layer, head };
}
