import type { Intervention } from "../../requests/interventions/intervention.ts";
import { keptScores } from "../activations/kept_sites.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { EDIT_ACTIONS } from "../kernels/edit_rows.ts";
import type { SiteEdit } from "../model/pass.ts";
import type { ChangeContext } from "./change_context.ts";
import { editUniform, listOf, maskOf } from "./edit_memory.ts";

/** Scores or patterns that replace those of a layer. */
interface Squares {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
  readonly stride: number;
}

/** An intervention at SCORES or PATTERN. */
export async function patternEdit(it: Intervention, context: ChangeContext): Promise<SiteEdit> {
  const { architecture: { heads: count }, ids, kernels: { editPatterns } } = context;
  const tokens = ids.length;
  const heads = await listOf(context, "heads of an edit", maskOf(it.heads, count));
  const targets = await listOf(context, "targets of an edit", maskOf(it.positions, tokens));
  const padded = new Uint32Array(4 * Math.ceil(tokens / 4));
  padded.set(maskOf(it.sources, tokens));
  const sources = await listOf(context, "sources of an edit", padded);
  const squares = it.from && squaresOf(it, context);
  const action = EDIT_ACTIONS[it.action as keyof typeof EDIT_ACTIONS];
  return {
    site: it.site,
    layer: it.layer,
    encode: (recorder, { activations, prompt }) => {
      const { buffer, offset } = patternsOf(activations, it.layer);
      const { stride = 0, ...s } = squares ?? { buffer: heads };
      const group = editPatterns.bind({
        edit: editUniform(context, [action, stride], it.factor ?? 1),
        heads,
        targets,
        sources,
        s,
        patterns: { buffer, offset, size: activations.layerBytes },
      });
      editPatterns.dispatch(recorder.pass, [[group], prompt], { tokens, heads: count });
    },
  };
}

function squaresOf({ site, layer, from }: Intervention, { plainOf }: ChangeContext): Squares {
  const donor = plainOf(from!);
  const { stride, layerBytes: size } = donor;
  if (site === "SCORES") return { buffer: keptScores(donor, layer), offset: 0, size, stride };
  return { ...patternsOf(donor, layer), size, stride };
}
