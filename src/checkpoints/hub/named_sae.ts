import { nearestNames } from "../sae/nearest_names.ts";
import type { SaeOverrides } from "../sae/parse_sae_config.ts";
import { RELEASED_SAES } from "../sae/sae_releases.ts";
import { HubError } from "./error.ts";
import { checkFileName, isRepositoryName } from "./repository.ts";

/** An autoencoder on the hub, by what the user calls it. */
export interface NamedSae {
  readonly name: string;
  readonly repository: string;
  /** In the repository; empty for its top. */
  readonly folder: string;
  readonly overrides: SaeOverrides;
  /** Whether it is published as a pickle, which is not read. */
  readonly isPickle: boolean;
}

/** Finds an autoencoder of a public release, or `owner/repo:folder`; undefined if a text is neither. */
export function findNamedSae(name: string): NamedSae | undefined {
  const released = RELEASED_SAES.get(name);
  if (released) return { ...released, overrides: released };
  const [repository, folder = ""] = name.split(":", 2) as [string, string?];
  if (!name.includes(":") || !repository.includes("/") || !isRepositoryName(repository)) {
    return undefined;
  }
  if (folder !== "") checkFileName(folder);
  return { name, repository, folder, overrides: {}, isPickle: false };
}

/**
 * Finds an autoencoder, like {@linkcode findNamedSae}, but throws for a name that is neither.
 *
 * @throws {HubError} If it is neither; the text lists the most similar names.
 */
export function namedSae(name: string): NamedSae {
  const found = findNamedSae(name);
  if (found) return found;
  throw new HubError(
    `Cannot look for an autoencoder on the hub as its name must be one of weights/saes.json, or owner/repo:folder: ` +
      `current value is ${name}; the nearest are ${
        nearestNames(name, RELEASED_SAES.keys()).join(", ")
      }`,
  );
}

/** The path of a file of an autoencoder in its repository. */
export function pathInFolder({ folder }: NamedSae, file: string): string {
  return folder === "" ? file : `${folder}/${file}`;
}
