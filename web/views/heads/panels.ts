import { share } from "../../draw/format.ts";
import type { Shade } from "../../draw/shade.ts";
import type { PageState } from "../../page_state.ts";
import { type Matrices, type Matrix, panelsOf } from "../../server/matrix.ts";
import type { Panel } from "../../widgets/panels.ts";
import type { HeadScore } from "./scores.ts";

/** Small pictures of every head, layer by layer. */
export function headPanels(
  all: Matrices,
  heads: number,
  shadeOf: (matrix: Matrix) => Shade,
): Panel[] {
  return panelsOf(all).map((matrix, index) => {
    const [layer, head] = [Math.floor(index / heads), index % heads];
    const name = `Layer ${layer}, head ${head}`;
    return { key: `${layer}.${head}`, name, matrix, shade: shadeOf(matrix) };
  });
}

/** The heads that do most of a job first, each with how much it does. */
export function sorted(
  panels: readonly Panel[],
  scores: readonly HeadScore[],
  job: Exclude<PageState["sort"], "place">,
): Panel[] {
  const byHead = new Map(scores.map((score) => [`${score.layer}.${score.head}`, score[job] ?? 0]));
  return panels.map((panel) => ({ panel, score: byHead.get(panel.key) ?? 0 }))
    .sort((a, b) => b.score - a.score)
    .map(({ panel, score }) => ({ ...panel, caption: `${panel.key} · ${share(score)}` }));
}

/** The head that does most of a job. */
export function bestOf(
  scores: readonly HeadScore[],
  job: Exclude<PageState["sort"], "place">,
): HeadScore | undefined {
  return scores.toSorted((a, b) => (b[job] ?? 0) - (a[job] ?? 0))[0];
}
