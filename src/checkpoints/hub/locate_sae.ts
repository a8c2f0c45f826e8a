import { basename, join } from "node:path";
import { statIfThere } from "../../files.ts";
import { projectPath } from "../../project.ts";
import { nearestNames } from "../sae/nearest_names.ts";
import type { SaeOverrides } from "../sae/parse_sae_config.ts";
import { RELEASED_SAES } from "../sae/sae_releases.ts";
import { CachedRepository } from "./cache.ts";
import { HubError } from "./error.ts";
import { findNamedSae, type NamedSae } from "./named_sae.ts";
import { MAIN } from "./repository.ts";
import { checkSnapshot, snapshotFile } from "./snapshot.ts";
import type { VerifiedFiles } from "./verified.ts";

/** An autoencoder by name, and the directory that holds its files. */
export interface SaeLocation {
  readonly name: string;
  readonly directory: string;
  readonly overrides: SaeOverrides;
  /** Whether it is in the hub's cache, where a file is named by its hash. */
  readonly isCached: boolean;
}

/** The files of an autoencoder. */
export const SAE_CONFIG = "cfg.json";
export const SAE_WEIGHTS = "sae_weights.safetensors";

/** The autoencoders that come with the bundled model. */
export async function bundledSaes(): Promise<SaeLocation[]> {
  const directory = projectPath("weights/bundled/sae");
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.filter((entry) => entry.isDirectory).map(({ name }) => name).sort()
    .map((name) => ({ name, directory: join(directory, name), overrides: {}, isCached: false }));
}

/**
 * Finds an autoencoder: a directory in SAELens' format, or one in the hub's cache. No request is made.
 *
 * @param asked `NAME`, `DIR`, `NAME=DIR` or `owner/repo:folder`.
 * @param cache The hub's cache; without one nothing is in it.
 * @throws {Error} If it isn't there; the text says how to get it, or lists the nearest names.
 */
export async function locateSae(asked: string, cache: string | undefined): Promise<SaeLocation> {
  const [, given, path] = asked.match(/^([^=]+)=(.+)$/) ?? [];
  if (given !== undefined && path !== undefined) {
    const overrides = RELEASED_SAES.get(given) ?? {};
    return { name: given, directory: path, overrides, isCached: false };
  }
  if (await isSaeDirectory(asked)) {
    const name = basename(asked.replace(/\/+$/, ""));
    return { name, directory: asked, overrides: {}, isCached: false };
  }
  const sae = findNamedSae(asked);
  if (!sae) {
    throw new Error(
      `Cannot find an autoencoder as it must be one of weights/saes.json, a directory with ${SAE_CONFIG} and ` +
        `${SAE_WEIGHTS}, or owner/repo:folder on the hub: current value is ${asked}; the nearest are ${
          nearestNames(asked, RELEASED_SAES.keys()).join(", ")
        }`,
    );
  }
  const directory = cache === undefined ? undefined : await findSaeInCache(cache, sae);
  if (directory !== undefined) {
    return { name: sae.name, directory, overrides: sae.overrides, isCached: true };
  }
  throw new Error(
    `Cannot find ${asked} as it has not been downloaded: \`./run sae ${asked}\` does so`,
  );
}

/**
 * Makes sure that an autoencoder of the hub's cache is whole before it is used; one in a directory has no hashes.
 *
 * @throws {HubError} If a file is not what its hash says.
 */
export async function ensureSaeIntact(
  { name, directory, isCached }: SaeLocation,
  verified: VerifiedFiles,
): Promise<void> {
  if (!isCached) return;
  const files = await Promise.all(
    [SAE_CONFIG, SAE_WEIGHTS].map((file) => snapshotFile(directory, file)),
  );
  const { damaged } = await checkSnapshot({ files: files.filter((it) => it !== undefined) }, {
    verified,
  });
  if (damaged.length === 0) return;
  throw new HubError(
    `Cannot use ${name} as ${damaged.join(", ")} is not what its hash says: fetch it again with ` +
      `\`./run sae ${name}\``,
  );
}

/** Finds an autoencoder in the cache: the one of `main` when it was last asked about, else any that is complete. */
export async function findSaeInCache(
  cache: string,
  { repository, folder }: NamedSae,
): Promise<string | undefined> {
  const cached = new CachedRepository(cache, repository);
  for (const commit of [await cached.commitOf(MAIN), ...await cached.commits()]) {
    if (commit === undefined) continue;
    const directory = join(cached.snapshot(commit), folder);
    if (await isSaeDirectory(directory)) return directory;
  }
  return undefined;
}

/** A server may read only the directories that it was started with; others count as missing. */
async function isSaeDirectory(path: string): Promise<boolean> {
  try {
    for (const name of [SAE_CONFIG, SAE_WEIGHTS]) {
      if ((await statIfThere(join(path, name)))?.isFile !== true) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
