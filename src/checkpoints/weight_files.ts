import {
  open,
  SafetensorsError,
  type SafetensorsFile,
  type TensorInfo,
} from "@infoflow/safetensors";
import { join } from "node:path";
import { isAbsence, statIfThere } from "../files.ts";
import { parseShardIndex, shardsOf } from "./shard_index.ts";

const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** A tensor, and the file that has it. */
export interface StoredTensor {
  readonly info: TensorInfo;
  readonly file: SafetensorsFile;
}

/** The weights of a checkpoint, in one file or in several. */
export interface WeightFiles extends Disposable {
  /** By their names in the files. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens `model.safetensors`, or where there is none the shards that `model.safetensors.index.json` names. All headers
 * are read, and what the index says is held against them.
 *
 * @throws {Error} If a file is missing or damaged; the text says which.
 * @throws {RangeError} If a shard lacks a tensor that it should have.
 */
export async function openWeightFiles(directory: string): Promise<WeightFiles> {
  const files: SafetensorsFile[] = [];
  const close = (): void => files.forEach((file) => file.close());
  const openOne = async (name: string): Promise<SafetensorsFile> => {
    const file = await present(directory, name, openFile);
    files.push(file);
    return file;
  };
  try {
    const isThere = async (name: string): Promise<boolean> =>
      await statIfThere(join(directory, name)) !== undefined;
    const tensors = await isThere(INDEX) && !await isThere(WEIGHTS)
      ? await openShards(directory, openOne)
      : tensorsOf(await openOne(WEIGHTS));
    return { tensors, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

function tensorsOf(file: SafetensorsFile): Map<string, StoredTensor> {
  return new Map(file.tensors.entries().map(([name, info]) => [name, { info, file }]));
}

async function openShards(
  directory: string,
  open: (name: string) => Promise<SafetensorsFile>,
): Promise<Map<string, StoredTensor>> {
  const index = parseShardIndex(await Deno.readTextFile(join(directory, INDEX)));
  const shards = new Map<string, SafetensorsFile>();
  for (const name of shardsOf(index)) shards.set(name, await open(name));
  return new Map(
    index.entries().map(([tensor, name]) => {
      const file = shards.get(name)!;
      const info = file.tensors.get(tensor);
      if (info) return [tensor, { info, file }];
      throw new RangeError(
        `Cannot load the model as ${name} has no tensor ${tensor}, which ${INDEX} says it has`,
      );
    }),
  );
}

async function openFile(path: string): Promise<SafetensorsFile> {
  try {
    return await open(path);
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause;
    throw new Error(`Cannot load ${path} as it is damaged: ${cause.message} (${cause.code})`, {
      cause,
    });
  }
}

/**
 * Uses a file that a model's directory must have.
 *
 * @throws {Error} If it is missing.
 */
export async function present<T>(
  directory: string,
  name: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await use(join(directory, name));
  } catch (cause) {
    if (!isAbsence(cause)) throw cause;
    throw new Error(
      `Cannot load a model from ${directory} as it must hold config.json and model.safetensors: ${name} is missing`,
      { cause },
    );
  }
}
