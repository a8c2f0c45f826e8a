import { basename, join, resolve } from "node:path";
import { statIfThere } from "../../files.ts";
import { projectPath } from "../../project.ts";
import { FAMILY, findNamed, type Named } from "./family.ts";
import { findInCache } from "./find.ts";

/** Where checkpoints are kept that come with the project. */
const WEIGHTS = projectPath("weights");

/** A model by name, and the directory that holds its files. */
export interface Location {
  readonly name: string;
  readonly directory: string;
  /** Whether it is in the hub's cache, where a file is named by its hash. */
  readonly isCached: boolean;
  /** Whether it is known to have GPT-2's vocabulary, so that it needs no tokenizer files. */
  readonly isKnown: boolean;
}

/** A model that could be downloaded, but has not been. */
export class ModelMissing extends Error {
  override readonly name = "ModelMissing";

  constructor(readonly model: Named) {
    super(
      `Cannot find ${model.name} as it has not been downloaded: ` +
        `\`./run weights ${model.name}\` does so, and serve with --download`,
    );
  }
}

/**
 * Finds a model: one that comes with the project, a directory, or one in the hub's cache. No request is made.
 *
 * @param asked What the user asked for, which may begin with another name for it, as in `mine=gpt2`; by default `gpt2`
 * if it is there, else `bundled`.
 * @param cache The hub's cache; without one nothing is in it.
 * @throws {ModelMissing} If it is one of the hub's that isn't there.
 * @throws {Error} If it can't be any model's name; the text lists those that can.
 */
export async function locateModel(
  asked: string | undefined,
  cache: string | undefined,
): Promise<Location> {
  const included = await includedModels();
  const [, alias, rest] = asked?.match(/^([^=/\\]+)=(.+)$/s) ?? [];
  if (alias !== undefined && !await isDirectory(asked!)) {
    return { ...await locateModel(rest, cache), name: alias };
  }
  const name = asked ?? "gpt2";
  if (included.includes(name)) {
    return { name, directory: join(WEIGHTS, name), isCached: false, isKnown: true };
  }
  if (asked !== undefined && await isDirectory(name)) {
    return { name: nameOf(name), directory: resolve(name), isCached: false, isKnown: false };
  }
  const model = findNamed(name);
  const found = model && cache !== undefined ? await findInCache(cache, model) : undefined;
  if (found) {
    const { directory } = found;
    return { name, directory, isCached: true, isKnown: model?.member !== undefined };
  }
  if (asked === undefined) return await locateModel("bundled", cache);
  if (model) throw new ModelMissing(model);
  throw new Error(
    `Cannot find a model as it must be one of ${
      [...included, ...Object.keys(FAMILY)].join(", ")
    }, a directory with config.json and model.safetensors, or owner/repo on the hub: current value is ${name}`,
  );
}

/** What a directory's model is called: by its last part, or as the hub does if it is a snapshot in its cache. */
function nameOf(directory: string): string {
  const path = resolve(directory);
  const [, repository] = path.match(/models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/) ?? [];
  return repository?.replaceAll("--", "/") ?? basename(path);
}

async function includedModels(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(WEIGHTS));
  return entries.filter((entry) => entry.isDirectory).map(({ name }) => name).sort();
}

/** A server may read only the directories that it was started with; others count as missing. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await statIfThere(path))?.isDirectory === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
