import { open } from "@infoflow/safetensors";
import type { InterventionInput } from "../../src/requests/interventions/intervention.ts";
import type { Site } from "../../src/requests/interventions/sites.ts";
import type { PatchGrid } from "../../src/requests/patching.ts";
import { FIXTURES } from "./fixtures.ts";

/** A clean and a corrupted prompt with reference values of patches and interventions. */
export interface PatchingPair {
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly answer: number;
  readonly against: number;
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** Several interventions in one run, as people ask for them. */
  readonly programs: readonly {
    readonly ids: readonly number[];
    readonly interventions: readonly InterventionInput[];
  }[];
}

/** A grid of the reference data: its name there, and what it is here. */
export interface ReferenceGrid {
  readonly name: string;
  readonly site: Site;
  readonly by: PatchGrid;
  /** Whether the file has the heads last. */
  readonly transposed?: boolean;
}

/** The grids that the reference data have. */
export const REFERENCE_GRIDS: readonly ReferenceGrid[] = [
  { name: "resid_pre", site: "RESID_PRE", by: "LAYER_POSITION" },
  { name: "resid_mid", site: "RESID_MID", by: "LAYER_POSITION" },
  { name: "resid_post", site: "RESID_POST", by: "LAYER_POSITION" },
  { name: "attn_out", site: "ATTN_OUT", by: "LAYER_POSITION" },
  { name: "mlp_out", site: "MLP_OUT", by: "LAYER_POSITION" },
  { name: "attn_head_out_by_pos", site: "Z", by: "LAYER_HEAD_POSITION", transposed: true },
  { name: "attn_head_q_by_pos", site: "Q", by: "LAYER_HEAD_POSITION", transposed: true },
  { name: "attn_head_k_by_pos", site: "K", by: "LAYER_HEAD_POSITION", transposed: true },
  { name: "attn_head_v_by_pos", site: "V", by: "LAYER_HEAD_POSITION", transposed: true },
  { name: "attn_head_pattern_by_pos", site: "PATTERN", by: "LAYER_HEAD_POSITION" },
  { name: "attn_head_pattern_by_pos", site: "SCORES", by: "LAYER_HEAD_POSITION" },
  { name: "attn_head_out_all_pos", site: "Z", by: "LAYER_HEAD" },
  { name: "attn_head_q_all_pos", site: "Q", by: "LAYER_HEAD" },
  { name: "attn_head_k_all_pos", site: "K", by: "LAYER_HEAD" },
  { name: "attn_head_v_all_pos", site: "V", by: "LAYER_HEAD" },
  { name: "attn_head_pattern_all_pos", site: "PATTERN", by: "LAYER_HEAD" },
];

/** (metrics, axes of the grid), as grids are here. */
export function expectedGrid(
  { tensors, clean }: PatchingPair,
  way: "denoise" | "noise",
  { name, transposed }: ReferenceGrid,
): Float32Array {
  const values = tensors.get(`${way}.${name}`)!;
  if (!transposed) return values;
  const T = clean.length;
  const H = 5;
  return values.map((_, at) => {
    const [rest, head, position] = [Math.floor(at / (H * T)), Math.floor(at / T) % H, at % T];
    return values[(rest * T + position) * H + head]!;
  });
}

/** An edit in the metadata of the reference data. */
interface Edit {
  readonly site: string;
  readonly layer: number;
  readonly op: "zero" | "replace" | "mean" | "add" | "scale" | "block";
  readonly heads?: readonly number[];
  readonly positions?: readonly number[];
  readonly sources?: readonly number[];
  readonly from?: "clean" | "corrupted" | "longer";
  readonly from_positions?: readonly number[];
  readonly vector?: number;
  readonly by?: number;
}

/** Reads `tests/fixtures/patching/NAME.safetensors`. */
export async function readPair(name: string): Promise<PatchingPair> {
  await using file = await open(new URL(`patching/${name}.safetensors`, FIXTURES));
  const tensors = new Map<string, Float32Array>();
  for (const [tensor] of file.tensors) tensors.set(tensor, await file.float32(tensor));
  const of = <T>(key: string): T => JSON.parse(file.metadata.get(key)!) as T;
  const prompts = {
    clean: of<number[]>("clean"),
    corrupted: of<number[]>("corrupted"),
    longer: of<number[]>("longer"),
  };
  const vectors = tensors.get("steer.vectors")!;
  const width = vectors.length / 3;
  const input = (edit: Edit): InterventionInput => ({
    site: edit.site.toUpperCase() as Site,
    layer: edit.layer,
    heads: edit.heads,
    positions: edit.positions,
    sources: edit.sources,
    action: edit.op.toUpperCase() as InterventionInput["action"],
    fromIds: edit.from && prompts[edit.from],
    fromPositions: edit.from_positions,
    factor: edit.op === "scale" ? edit.by : undefined,
    vector: edit.op === "add"
      ? Array.from(
        vectors.subarray(edit.vector! * width, (edit.vector! + 1) * width),
        (v) => v * edit.by!,
      )
      : undefined,
    withBos: edit.op === "add" && !edit.positions,
  });
  const programs = of<{ base: "clean" | "corrupted"; edits: Edit[] }[]>("programs");
  return {
    clean: prompts.clean,
    corrupted: prompts.corrupted,
    answer: of("answer"),
    against: of("other"),
    tensors,
    programs: programs.map(({ base, edits }) => ({
      ids: prompts[base],
      interventions: edits.map(input),
    })),
  };
}
