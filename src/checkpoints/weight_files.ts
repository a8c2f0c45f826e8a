import type { SafetensorsFile, TensorInfo } from "@infoflow/safetensors";
import { join } from "node:path";
import { isAbsence, statIfThere } from "../files.ts";
import { WEIGHTS, WEIGHTS_INDEX } from "./model_files.ts";
import { openSafetensors } from "./open_safetensors.ts";
import { readPresentFile } from "./read_model_file.ts";
import { parseShardIndex, shardsOf } from "./shard_index.ts";

/** A tensor, and the file that has it. */
export interface StoredTensor {
  /** Its name in the file. */
  readonly storedAs: string;
  readonly info: TensorInfo;
  readonly file: SafetensorsFile;
}

/** The weights of a checkpoint, in one file or in several. */
export interface WeightFiles extends Disposable {
  /** By their names in the files. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The files, an index of shards too. */
  readonly paths: readonly string[];
}

/**
 * Opens `model.safetensors`, or where there is none the shards that `model.safetensors.index.json` names. All headers
 * are read.
 *
 * @throws {Error} If a file is missing or damaged; the text says which.
 */
export async function openWeightFiles(directory: string): Promise<WeightFiles> {
  const files: SafetensorsFile[] = [];
  const paths: string[] = [];
  const close = (): void => files.forEach((file) => file.close());
  const openOne = async (name: string): Promise<SafetensorsFile> => {
    const file = await present(directory, name, openSafetensors);
    files.push(file);
    paths.push(join(directory, name));
    return file;
  };
  try {
    const isThere = async (name: string): Promise<boolean> =>
      await statIfThere(join(directory, name)) !== undefined;
    const isInShards = await isThere(WEIGHTS_INDEX) && !await isThere(WEIGHTS);
    if (isInShards) paths.push(join(directory, WEIGHTS_INDEX));
    const tensors = isInShards
      ? await openShards(directory, openOne)
      : tensorsOf(await openOne(WEIGHTS));
    return { tensors, paths, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

function tensorsOf(file: SafetensorsFile): Map<string, StoredTensor> {
  return new Map(
    file.tensors.entries().map(([name, info]) => [name, { storedAs: name, info, file }]),
  );
}

async function openShards(
  directory: string,
  open: (name: string) => Promise<SafetensorsFile>,
): Promise<Map<string, StoredTensor>> {
  const index = parseShardIndex(await readPresentFile(join(directory, WEIGHTS_INDEX)));
  const shards = new Map<string, SafetensorsFile>();
  for (const name of shardsOf(index)) shards.set(name, await open(name));
  const tensors = new Map<string, StoredTensor>();
  for (const file of shards.values()) {
    for (const [tensor, stored] of tensorsOf(file)) tensors.set(tensor, stored);
  }
  // Where shards have a tensor twice, the index says which is meant. It may list what no shard has: buffers that were
  // not saved, or a tied tensor. What is needed and missing is refused by its name later on.
  for (const [tensor, name] of index) {
    const file = shards.get(name)!;
    const info = file.tensors.get(tensor);
    if (info) tensors.set(tensor, { storedAs: tensor, info, file });
  }
  return tensors;
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
    const other = name === WEIGHTS ? await otherFormat(directory) : undefined;
    throw new Error(
      `Cannot load a model from ${directory} as it must hold config.json and model.safetensors: ${name} is missing` +
        (other === undefined
          ? ""
          : `; ${other} is in a format that is not read: save it as safetensors, as in ` +
            "AutoModelForCausalLM.from_pretrained(DIR).save_pretrained(DIR)"),
      { cause },
    );
  }
}

/** A file that has the weights in an older format. */
async function otherFormat(directory: string): Promise<string | undefined> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.map(({ name }) => name).sort().find(isOtherFormat);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether a file's name says that it has weights in a format that is not read. */
export function isOtherFormat(name: string): boolean {
  return /\.(bin|h5|msgpack|pt|pth|ckpt|gguf)$/.test(name);
}
