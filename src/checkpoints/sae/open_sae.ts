import type { SafetensorsFile } from "@infoflow/safetensors";
import { statIfThere } from "../../files.ts";
import { openSafetensors } from "../open_safetensors.ts";
import { readModelFile } from "../read_model_file.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { parseSaeConfig, type SaeOverrides } from "./parse_sae_config.ts";
import { PICKLE_HELP } from "./pickle_help.ts";
import { type SaeTensor, saeTensors } from "./sae_tensors.ts";

/** An autoencoder on disk whose header has been checked: every tensor is there in its shape. */
export interface SaeCheckpoint extends AsyncDisposable {
  readonly config: SaeConfig;
  /**
   * Reads one tensor as float32.
   *
   * @throws {RangeError} If it holds a number that is not finite.
   */
  read(name: SaeTensor): Promise<Float32Array<ArrayBuffer>>;
}

const READABLE = ["F32", "F16", "BF16"];
const WEIGHTS = "sae_weights.safetensors";

/**
 * Opens a directory with `cfg.json` and `sae_weights.safetensors` as SAELens writes them.
 *
 * @param overrides What is known beside the files. The factor of `expected_average_only_in` is also looked for in
 * `norm_scaling_factor.json` there.
 * @throws {Error} If a file is missing or damaged; the text says which.
 * @throws {RangeError} If a tensor is missing or misshapen, or the autoencoder is not one that Infoflow reads.
 */
export async function openSae(
  directory: string,
  overrides: SaeOverrides = {},
): Promise<SaeCheckpoint> {
  const config = await readSaeConfig(directory, overrides);
  const file = await openWeights(directory);
  try {
    for (const [name, shape] of Object.entries(saeTensors(config))) check(file, name, shape);
    await refuseScaling(file);
    return {
      config,
      read: async (name) => {
        const values = await file.float32(name);
        refuseNonFinite(name, values);
        return values;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(file.close()),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Reads what an autoencoder is from its directory.
 *
 * @throws As {@linkcode openSae} does.
 */
export async function readSaeConfig(
  directory: string,
  overrides: SaeOverrides = {},
): Promise<SaeConfig> {
  const text = await readModelFile(`${directory}/cfg.json`);
  if (text === undefined) {
    throw new Error(`Cannot read an autoencoder as ${directory} has no cfg.json`);
  }
  const factor = overrides.factor ?? await readFactor(directory);
  return parseSaeConfig(text, { ...overrides, factor });
}

async function readFactor(directory: string): Promise<number | undefined> {
  const text = await readModelFile(`${directory}/norm_scaling_factor.json`);
  return text === undefined ? undefined : Number(text);
}

async function openWeights(directory: string): Promise<SafetensorsFile> {
  const path = `${directory}/${WEIGHTS}`;
  if (await statIfThere(path) !== undefined) return await openSafetensors(path);
  for await (const { name } of Deno.readDir(directory)) {
    if (/\.(pt|pth|bin|pkl)$/.test(name)) {
      throw new Error(
        `Cannot read an autoencoder as ${name} is a pickle, which can run programs: ${PICKLE_HELP}`,
      );
    }
  }
  throw new Error(`Cannot read an autoencoder as ${directory} has no ${WEIGHTS}`);
}

function check({ tensors }: SafetensorsFile, name: string, shape: readonly number[]): void {
  const tensor = tensors.get(name);
  if (!tensor) {
    throw new RangeError(`Cannot read the autoencoder as its weights have no tensor ${name}`);
  }
  if (tensor.shape.join() !== shape.join()) {
    throw new RangeError(
      `Cannot read the autoencoder as the shape of ${name} must be [${
        shape.join(", ")
      }] by cfg.json: current value is [${tensor.shape.join(", ")}]`,
    );
  }
  if (!READABLE.includes(tensor.dtype)) {
    throw new RangeError(
      `Cannot read the autoencoder as the dtype of ${name} must be one of ${
        READABLE.join(", ")
      }: current value is ${tensor.dtype}`,
    );
  }
}

/** Old trainings could finetune a factor for each feature, which nothing here applies. */
async function refuseScaling(file: SafetensorsFile): Promise<void> {
  if (!file.tensors.has("scaling_factor")) return;
  const factors = await file.float32("scaling_factor");
  const other = factors.findIndex((factor) => factor !== 1);
  if (other < 0) return;
  throw new RangeError(
    `Cannot read the autoencoder as its scaling_factor must be ones: current value at ${other} is ${
      factors[other]
    }`,
  );
}

function refuseNonFinite(name: string, values: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  if (sum === 0) return;
  const index = values.findIndex((value) => !Number.isFinite(value));
  throw new RangeError(
    `Cannot read the autoencoder as all numbers of ${name} must be finite: current value at ${index} is ${
      values[index]
    }`,
  );
}
