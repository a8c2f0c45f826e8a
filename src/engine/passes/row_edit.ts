import type { Intervention } from "../../requests/interventions/intervention.ts";
import { hasHeads } from "../../requests/interventions/sites.ts";
import { keptAt } from "../activations/kept_sites.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { EDIT_ACTIONS, UNCHANGED } from "../kernels/edit_rows.ts";
import type { SiteEdit } from "../model/pass.ts";
import type { ChangeContext } from "./change_context.ts";
import { editUniform, listOf, maskOf, rowOf } from "./edit_memory.ts";

/** The rows that are added or put in place: a texture, and the commands that fill it. */
interface Values {
  readonly texture: GPUTexture;
  prepare?(recorder: Recorder): void;
}

/** An intervention at a site that has a vector for each position. */
export async function rowEdit(it: Intervention, context: ChangeContext): Promise<SiteEdit> {
  const { architecture: { channels, heads, headSize }, before, ids, kernels } = context;
  const isOfHeads = hasHeads(it.site);
  const width = (isOfHeads ? headSize : channels) / 4;
  const rows = await listOf(context, "rows of an edit", rowsOfValues(it, ids.length));
  const mask = maskOf(isOfHeads ? it.heads : undefined, isOfHeads ? heads : 1);
  const changed = await listOf(context, "heads of an edit", mask);
  const values = await valuesOf(it, context);
  const action = it.action === "MEAN" ? EDIT_ACTIONS.REPLACE : EDIT_ACTIONS[it.action];
  const isOfBefore = it.action === "SCALE" || it.action === "ADD";
  return {
    site: it.site,
    layer: it.layer,
    encode: (recorder, { first }, at) => {
      const { texture, origin: [column, row, layer], texels, rows: count } = at!;
      if (isOfBefore) {
        const source = { texture, origin: [column, row, layer] };
        recorder.encoder.copyTextureToTexture(source, { texture: before }, [texels, count]);
      }
      values?.prepare?.(recorder);
      const edit = [action, first, column, row, width, texels];
      const view = { dimension: "2d", baseArrayLayer: layer, arrayLayerCount: 1 } as const;
      const group = kernels.editRows.bind({
        edit: editUniform(context, edit, it.factor ?? 1),
        rows,
        heads: changed,
        x: before.createView(),
        s: (values?.texture ?? before).createView(),
        y: texture.createView(view),
      });
      kernels.editRows.dispatch(recorder.pass, [[group]], { texels, rows: count });
    },
  };
}

/** The row of the values for each position, or {@linkcode UNCHANGED}. */
function rowsOfValues(
  { action, positions, fromPositions }: Intervention,
  tokens: number,
): Uint32Array<ArrayBuffer> {
  const rows = new Uint32Array(tokens).fill(UNCHANGED);
  const changed = positions ?? Array.from({ length: tokens }, (_, position) => position);
  changed.forEach((position, at) => {
    rows[position] = action === "REPLACE" ? fromPositions?.[at] ?? position : 0;
  });
  return rows;
}

async function valuesOf(
  it: Intervention,
  context: ChangeContext,
): Promise<Values | undefined> {
  const { site, layer } = it;
  switch (it.action) {
    case "ADD":
      return { texture: await rowOf(context, "vector", vectorOf(it, context)) };
    case "REPLACE":
      return { texture: keptAt(context.plainOf(it.from!), { site, layer }) };
    case "MEAN": {
      const { device, ids, kernels: { meanRows }, owned } = context;
      const texture = await rowOf(context, "mean over positions");
      const x = keptAt(context.plainOf(ids), { site, layer }).createView();
      const words = new Uint32Array([it.meanFrom!, ids.length]);
      const positions = owned.add(makeUniform(device, "positions of a mean", words));
      const group = meanRows.bind({ positions, x, y: texture.createView() });
      return {
        texture,
        prepare: ({ pass }) => meanRows.dispatch(pass, [[group]], {}),
      };
    }
    default:
      return undefined;
  }
}

/** All channels of the added vector; 0 for heads that are not named. */
function vectorOf(
  { heads, site, vector }: Intervention,
  { architecture: { channels, headSize } }: ChangeContext,
): Float32Array<ArrayBuffer> {
  if (!hasHeads(site) || !heads) return Float32Array.from(vector!);
  const all = new Float32Array(channels);
  heads.forEach((head, at) =>
    all.set(vector!.slice(at * headSize, (at + 1) * headSize), head * headSize)
  );
  return all;
}
