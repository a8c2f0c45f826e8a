import manifest from "../../../weights/manifest.json" with { type: "json" };
import { HubError } from "./error.ts";
import { isRepositoryName } from "./repository.ts";

/** What is known of a file without asking the hub. */
export interface Pin {
  readonly size?: number;
  readonly sha256?: string;
}

/** A model that has a short name. */
export interface FamilyMember {
  readonly repository: string;
  /** Names that the repository had, under which caches may still have it. */
  readonly formerly: readonly string[];
  /** The commit that is used by default. */
  readonly revision: string;
  /** What its files are at that commit, as far as it is known. */
  readonly files: Readonly<Record<string, Pin>>;
}

/** The models with short names. */
export type Family = Readonly<Record<string, FamilyMember>>;

/** GPT-2's family, see `weights/README.md`. */
export const FAMILY: Family = manifest;

/** A model on the hub, by what the user calls it. */
export interface Named {
  readonly name: string;
  readonly repository: string;
  /** The repositories that a cache may have it under, the present one first. */
  readonly repositories: readonly string[];
  readonly member: FamilyMember | undefined;
}

/** Finds the repository of a short name, or of `owner/repo`; undefined if a text is neither. */
export function findNamed(name: string, family: Family = FAMILY): Named | undefined {
  const member = Object.hasOwn(family, name) ? family[name] : undefined;
  if (member) {
    const { repository, formerly } = member;
    return { name, repository, repositories: [repository, ...formerly], member };
  }
  if (!name.includes("/") || !isRepositoryName(name)) return undefined;
  const known = Object.values(family).find(({ repository }) => repository === name);
  return { name, repository: name, repositories: [name], member: known };
}

/**
 * Finds the repository of a name, like {@linkcode findNamed}, but throws for a name that is neither.
 *
 * @throws {HubError} If it is neither a short name nor `owner/repo`; the text lists the short names.
 */
export function named(name: string, family: Family = FAMILY): Named {
  const found = findNamed(name, family);
  if (found) return found;
  throw new HubError(
    `Cannot look for a model on the hub as its name must be one of ${
      Object.keys(family).join(", ")
    }, or like owner/repo: current value is ${name}`,
  );
}
