import { open } from "@infoflow/safetensors";
import type { InterventionInput } from "../../src/requests/interventions/intervention.ts";
import type { Site } from "../../src/requests/interventions/sites.ts";
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
