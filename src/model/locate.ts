import { join } from "node:path";

/** Where checkpoints are kept that have a name. */
const WEIGHTS = new URL("../../weights/", import.meta.url).pathname;

/** A model by name, and the directory that holds its files. */
export interface Location {
  readonly name: string;
  readonly directory: string;
}

/**
 * Finds a model: the name of a directory in `weights/`, or the path of any other.
 *
 * @param asked What the user asked for; without it `gpt2` if it is there, else `bundled`.
 * @throws {Error} If there is no such model; the text lists those that there are.
 */
export async function locateModel(asked: string | undefined): Promise<Location> {
  const names = await namedModels();
  const name = asked ?? (names.includes("gpt2") ? "gpt2" : "bundled");
  if (names.includes(name)) return { name, directory: join(WEIGHTS, name) };
  if (await isDirectory(name)) return { name, directory: name };
  throw new Error(
    `Cannot find a model as it must be one of ${
      names.join(", ")
    }, or a directory with config.json and ` +
      `model.safetensors: current value is ${name}`,
  );
}

async function namedModels(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(WEIGHTS));
  return entries.filter((entry) => entry.isDirectory).map(({ name }) => name).sort();
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
