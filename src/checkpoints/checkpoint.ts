import { readPresentFile } from "./read_model_file.ts";
import { createHash } from "node:crypto";
import type { Architecture } from "../requests/architecture/architecture.ts";
import type { Checkpoint } from "../requests/architecture/checkpoint.ts";
import { parseBosId, parseConfig } from "../requests/architecture/config.ts";
import { familyOf, parseArchitecture } from "../requests/architecture/families.ts";
import { inOrder, type Parameter } from "../requests/architecture/family.ts";
import { KnownFingerprints } from "./known_fingerprints.ts";
import { storedTensors } from "./stored_tensors.ts";
import { openWeightFiles, present, type StoredTensor } from "./weight_files.ts";

const READABLE = ["F32", "F16", "BF16", "F64"];

/**
 * Opens a directory with `config.json` and `model.safetensors`, or its shards, in Hugging Face's GPT-2 layout. Tensors
 * that Infoflow does not use, such as `attn.bias` masks and a tied `lm_head`, are passed over.
 *
 * @param known Remembers fingerprints: files that are as they were are not hashed again, nor searched for numbers that
 * are not finite. Nothing is remembered without it.
 * @throws {Error} If a file is missing or damaged; the text says which.
 * @throws {RangeError} If a tensor is missing or misshapen, or the model is not one that Infoflow runs.
 */
export async function openCheckpoint(
  directory: string,
  known: KnownFingerprints = new KnownFingerprints(undefined),
): Promise<Checkpoint> {
  const config = parseConfig(await readConfig(directory));
  const family = familyOf(config);
  const architecture = family.architectureOf(config);
  const tensors = family.tensorsOf(architecture);
  const files = await openWeightFiles(directory);
  try {
    const parameters = inOrder(tensors);
    const stored = storedTensors(files.tensors, parameters, architecture);
    for (const parameter of parameters) check(stored.get(parameter.name), parameter);
    const model = { paths: files.paths, architecture };
    const digest = await known.find(model);
    let keeping: Promise<void> | undefined;
    return {
      architecture,
      tensors,
      hash: () => {
        const hash = digest === undefined ? createHash("sha256") : undefined;
        return {
          update(part) {
            hash?.update(part);
            return this;
          },
          digest: () => {
            if (!hash) return digest!;
            const made = hash.digest("hex");
            keeping = known.keep(model, made);
            return made;
          },
        };
      },
      read: async ({ name, shape }, target) => {
        const tensor = stored.get(name);
        if (!tensor) return zeros(shape, target);
        const { file, storedAs } = tensor;
        const values = target
          ? await file.float32Into(storedAs, target) as Float32Array<ArrayBuffer>
          : await file.float32(storedAs);
        if (digest === undefined) refuseNonFinite(name, values);
        return values;
      },
      [Symbol.asyncDispose]: async () => {
        files[Symbol.dispose]();
        await keeping;
      },
    };
  } catch (error) {
    files[Symbol.dispose]();
    throw error;
  }
}

/**
 * Reads the sizes and options of a model from its directory.
 *
 * @throws As {@linkcode openCheckpoint} does.
 */
export async function readArchitecture(directory: string): Promise<Architecture> {
  return parseArchitecture(await readConfig(directory));
}

/**
 * Reads the id of BOS from a model's directory, if its config says one.
 *
 * @throws As {@linkcode openCheckpoint} does.
 */
export async function readBosId(directory: string): Promise<number | undefined> {
  return parseBosId(await readConfig(directory));
}

async function readConfig(directory: string): Promise<string> {
  return await present(directory, "config.json", readPresentFile);
}

/** A bias that the model does without. */
function zeros(
  shape: readonly number[],
  target: Float32Array<ArrayBuffer> | undefined,
): Float32Array<ArrayBuffer> {
  const length = shape.reduce((product, size) => product * size, 1);
  return (target ?? new Float32Array(length)).subarray(0, length).fill(0);
}

function check(stored: StoredTensor | null | undefined, { name, shape }: Parameter): void {
  if (!stored) return; // a bias of zeros
  const tensor = stored.info;
  if (tensor.shape.join() !== shape.join()) {
    throw new RangeError(
      `Cannot load the model as the shape of ${name} must be [${
        shape.join(", ")
      }] by config.json: ` +
        `current value is [${tensor.shape.join(", ")}]`,
    );
  }
  if (!READABLE.includes(tensor.dtype)) {
    throw new RangeError(
      `Cannot load the model as the dtype of ${name} must be one of ${READABLE.join(", ")}: ` +
        `current value is ${tensor.dtype}`,
    );
  }
}

function refuseNonFinite(name: string, values: Float32Array): void {
  // A finite number times 0 is 0, any other is NaN; sums are faster than a test for each, and four of them don't wait
  // for each other.
  const whole = values.length - values.length % 4;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * 0;
  if (a + b + c + d === 0) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new RangeError(
    `Cannot load the model as all numbers of ${name} must be finite: current value at ${index} is ${
      values[index]
    }`,
  );
}
