import { open } from "@infoflow/safetensors";

/** The autoencoders of `tests/fixtures/sae/`, one of each architecture and hook. */
export const SAES = [
  "res-standard",
  "res-gated",
  "res-topk",
  "mlp-jumprelu",
  "mlp-averaged",
  "attn-topk",
  "z-standard",
  "z-folded",
  "mlp-transcoder",
] as const;

/** Where copies of the reference data are. */
export const FIXTURES = new URL("../fixtures/", import.meta.url);
/** The directory of the model of the reference data in `tiny/`. */
export const TINY = new URL("tiny/", FIXTURES).pathname;
/** The directory of the bundled model. */
export const BUNDLED = new URL("../../weights/bundled/", import.meta.url).pathname;

/** One file of reference data. */
export interface Reference {
  /** Token ids, BOS first. */
  readonly ids: readonly number[];
  /** The prompt, where there is one. */
  readonly prompt: string | undefined;
  /** The tensors that the file has. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Reads a file of reference data, such as `tiny/T14`. */
export async function readReference(name: string): Promise<Reference> {
  await using file = await open(new URL(`${name}.safetensors`, FIXTURES));
  const tensors = new Map<string, Float32Array>();
  for (const [tensor, { dtype }] of file.tensors) {
    const numbers = dtype === "I32"
      ? Float32Array.from(new Int32Array((await file.read(tensor)).buffer))
      : await file.float32(tensor);
    tensors.set(tensor, numbers);
  }
  return {
    ids: JSON.parse(file.metadata.get("ids")!) as number[],
    prompt: file.metadata.get("prompt"),
    tensors,
  };
}
