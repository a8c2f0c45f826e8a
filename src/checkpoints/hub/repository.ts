import { HubError } from "./error.ts";

/** The branch that is used by default. */
export const MAIN = "main";

/** The name of a commit, whose contents can't change. */
export const COMMIT = /^[0-9a-f]{40}$/;

const NAME = /^[\w.-]{1,96}(\/[\w.-]{1,96})?$/;

/** Whether a text has the form of a repository's name, `owner/name`, or `name` alone for some old ones. */
export function isRepositoryName(text: string): boolean {
  // The hub allows neither `--` nor `..`; the cache writes `--` for the slash between owner and name.
  return NAME.test(text) && !text.includes("--") && !text.includes("..") &&
    text.split("/").every((part) => part !== "." && !/^[.-]|[.-]$/.test(part));
}

/**
 * Checks the name of a branch, tag or commit.
 *
 * @throws {HubError} If it could lead out of the directory that is called after it.
 */
export function checkRevision(revision: string): void {
  if (isPathWithin(revision)) return;
  throw new HubError(
    `Cannot use a revision as it must be the name of a branch, a tag or a commit: current value is ${
      JSON.stringify(revision)
    }`,
  );
}

/**
 * Checks a file's name that came from the hub.
 *
 * @throws {HubError} If it could lead out of the directory that it is to be put in.
 */
export function checkFileName(name: string): void {
  if (isPathWithin(name)) return;
  throw new HubError(
    `Cannot take a file from the hub as its name must not lead out of its directory: current value is ${
      JSON.stringify(name)
    }`,
  );
}

function isPathWithin(path: string): boolean {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return path.length <= 1024 && !/[\\\x00-\x1f:]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
