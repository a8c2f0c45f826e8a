import type { Shade } from "../draw/shade.ts";
import { share } from "../draw/format.ts";
import type { PageState, Sort } from "../page_state.ts";
import type { HeadScore } from "../server/scores.ts";
import { toggled } from "../server/forecast.ts";
import { type Matrix, panelsOf } from "../server/matrix.ts";
import type { Panel, PanelsPicture } from "./panels.ts";
import type { Panelled } from "./picture.ts";

/** The small multiples of a state: all layers and each of them, or every head. */
export function multiplesOf(
  { state, reading: { model }, all, scores }: Panelled,
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
    const panels = matrices.map((matrix, index) => {
      const [layer, head] = [Math.floor(index / heads), index % heads];
      const key = `${layer}.${head}`;
      const name = `Layer ${layer}, head ${head}`;
      return { key, name, isOff: off.has(key), ...drawn(matrix) };
    });
    const chosen = isWhatIf ? "" : `${state.layer ?? 0}.${state.head ?? 0}`;
    const { sort } = state;
    if (isWhatIf || sort === "place" || !scores) return { columns: heads, chosen, panels };
    return { chosen, panels: sorted(panels, scores, sort) };
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

/** The heads that do most of a job first, each with how much it does. */
function sorted(
  panels: readonly Panel[],
  scores: readonly HeadScore[],
  job: Exclude<Sort, "place">,
): Panel[] {
  const byHead = new Map(scores.map((score) => [`${score.layer}.${score.head}`, score[job] ?? 0]));
  return panels.map((panel) => ({ panel, score: byHead.get(panel.key) ?? 0 }))
    .sort((a, b) => b.score - a.score)
    .map(({ panel, score }) => ({ ...panel, caption: `${panel.key} · ${share(score)}` }));
}

/** What the choice of a small picture makes of the state. */
export function chosenBy(key: string, { view, off }: PageState): Partial<PageState> {
  if (view === "whatif") return { off: toggled(off, key) };
  if (key === "all") return { layer: undefined };
  const [layer, head] = key.split(".").map(Number);
  return head === undefined ? { layer } : { layer, head };
}
