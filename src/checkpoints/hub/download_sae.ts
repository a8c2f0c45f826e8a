import { join } from "node:path";
import { nearestNames } from "../sae/nearest_names.ts";
import { parseSaeConfig } from "../sae/parse_sae_config.ts";
import { PICKLE_HELP } from "../sae/pickle_help.ts";
import { RELEASED_SAES } from "../sae/sae_releases.ts";
import { HubClient } from "./client.ts";
import type { Downloaded, DownloadOptions } from "./download.ts";
import { HubError } from "./error.ts";
import { fetcher } from "./fetch_files.ts";
import { findSaeInCache, SAE_CONFIG, SAE_WEIGHTS } from "./locate_sae.ts";
import { type NamedSae, pathInFolder } from "./named_sae.ts";
import { CachePlace } from "./place.ts";
import { MAIN } from "./repository.ts";
import { fetchRevision, type RemoteFile, type Revision } from "./revision.ts";

/** Options of an autoencoder's download. */
export interface DownloadSaeOptions extends
  Pick<
    DownloadOptions,
    "environment" | "verified" | "onProgress" | "say" | "wait" | "free" | "revision"
  > {
  readonly sae: NamedSae;
}

/** Beside the weights, where there is one. */
const FACTOR = "norm_scaling_factor.json";

/**
 * Makes sure that an autoencoder is in the hub's cache: `cfg.json`, weights, and the factor of its normalisation where
 * it has a file for that. What is not read is refused before its weights are fetched.
 *
 * @throws {HubError} If it can't be had; the text lists the nearest names where there is none of that name.
 * @throws {RangeError} If it is not an autoencoder that Infoflow reads.
 */
export async function downloadSae(options: DownloadSaeOptions): Promise<Downloaded> {
  const { sae, environment } = options;
  if (sae.isPickle) {
    throw new HubError(
      `Cannot download ${sae.name} as it is published as a pickle, which can run programs: ${PICKLE_HELP}`,
    );
  }
  if (environment.isOffline) {
    const directory = await findSaeInCache(environment.cache, sae);
    if (directory !== undefined) return { directory, commit: "", wasThere: true };
    throw new HubError(
      `Cannot download ${sae.name} as HF_HUB_OFFLINE is set, and it is not in ${environment.cache}`,
    );
  }
  const client = new HubClient(environment, options);
  const ref = options.revision ?? MAIN;
  const revision = await revisionOf(client, sae, ref);
  const place = new CachePlace(environment.cache, revision);
  const fetchAll = fetcher(client, { ...options, revision, place });
  const config = fileOf(revision, sae, SAE_CONFIG);
  const weights = fileOf(revision, sae, SAE_WEIGHTS);
  const factor = revision.files.get(pathInFolder(sae, FACTOR));
  await fetchAll(factor ? [config, factor] : [config]);
  const read = (name: string): Promise<string> => Deno.readTextFile(join(place.directory, name));
  const ofFile = factor && Number(await read(factor.name));
  const overrides = { ...sae.overrides, factor: sae.overrides.factor ?? ofFile };
  parseSaeConfig(await read(config.name), overrides);
  await fetchAll([weights]);
  // Last of all, so that a branch never leads to files that aren't there.
  await place.finish(ref);
  return {
    directory: join(place.directory, sae.folder),
    commit: revision.commit,
    wasThere: false,
  };
}

async function revisionOf(client: HubClient, sae: NamedSae, ref: string): Promise<Revision> {
  try {
    return await fetchRevision(client, sae.repository, ref);
  } catch (cause) {
    // The hub answers 401 about what does not exist, as it does about what is private.
    if (!(cause instanceof HubError) || ![401, 404].includes(cause.status ?? 0)) throw cause;
    const names = nearestNames(sae.name, RELEASED_SAES.keys());
    throw new HubError(`${cause.message}; the nearest names are ${names.join(", ")}`, 404, {
      cause,
    });
  }
}

function fileOf({ files, repository }: Revision, sae: NamedSae, name: string): RemoteFile {
  const file = files.get(pathInFolder(sae, name));
  if (file) return file;
  const inFolder = [...files.keys()].filter((path) => path.startsWith(pathInFolder(sae, "")));
  const pickle = inFolder.find((path) => /\.(pt|pth|bin|pkl)$/.test(path));
  if (pickle !== undefined) {
    throw new HubError(
      `Cannot download ${sae.name} as ${pickle} is a pickle, which can run programs: ${PICKLE_HELP}`,
    );
  }
  const folders = [...files.keys()].filter((path) => path.endsWith(`/${SAE_WEIGHTS}`))
    .map((path) => `${repository}:${path.slice(0, -SAE_WEIGHTS.length - 1)}`);
  throw new HubError(
    `Cannot download ${sae.name} as ${repository} has no ${pathInFolder(sae, name)}${
      folders.length > 0 ? `; the nearest are ${nearestNames(sae.name, folders).join(", ")}` : ""
    }`,
    404,
  );
}
