import type { GridCell, GridPicture } from "../../draw/grid_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import { signed } from "./details.ts";
import type { FeatureFlow, SaeCard } from "./question.ts";

/** The layer or head of the first row of a flow. */
export function firstRowOf({ axis }: FeatureFlow, { site, layer }: SaeCard): number {
  return axis === "head" || site.startsWith("RESID") ? 0 : layer;
}

/** Draws what each token adds to a feature, by layer or head. */
export function flowPicture(
  { values, rows, axis }: FeatureFlow,
  { tokens, target, first }: {
    readonly tokens: readonly string[];
    readonly target: number;
    /** The layer or head of the first row. */
    readonly first: number;
  },
): GridPicture {
  const shown = tokens.slice(0, target + 1);
  const cells = Array.from({ length: rows * shown.length }, (_, place): GridCell => {
    const [row, source] = [Math.floor(place / shown.length), place % shown.length];
    const value = values[row * tokens.length + source]!;
    return {
      value,
      text: Math.abs(value) >= 0.05 ? signed(value) : "",
      says: `${axis} ${first + row}: ${labelText(shown[source]!)} adds ${signed(value)}`,
    };
  });
  const top = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  return {
    rows: Array.from({ length: rows }, (_, row) => `${axis} ${first + row}`),
    columns: shown.map((text) => ({ text })),
    cells,
    shade: { top, curve: "linear", diverges: true },
    ends: [signed(-top), "0", signed(top)],
    title: `What each token adds to the feature, by ${axis}`,
  };
}
