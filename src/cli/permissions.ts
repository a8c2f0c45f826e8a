import { dirname } from "node:path";
import { projectPath } from "../project.ts";
import { CARDS_VARIABLE } from "./cards.ts";
import { UsageError, variableOf } from "./flags.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { OPEN_FILES_VARIABLE, type ServeSettings, TOKEN_VARIABLE } from "./settings.ts";

/** What a worker's module is read from: Deno asks for permission to read it, as it does not for the main module. */
const CODE = ["src", "shaders", "packages"];

/** The paths that the server reads and writes. */
export interface Places {
  /** Directories of checkpoints, beside those that come with the project. */
  readonly weights: readonly string[];
  /** A file in the directory of what is remembered between runs. */
  readonly own: string | undefined;
}

/** What the environment may tell the server, and the libraries that it stands on. */
export const VARIABLES: readonly string[] = [
  ...Object.keys(SERVE_FLAGS).map(variableOf),
  TOKEN_VARIABLE,
  OPEN_FILES_VARIABLE,
  CARDS_VARIABLE,
  ...["HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"],
  ...["HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"],
  ...["NODE_ENV", "DEBUG"],
];

/**
 * The permissions of a server, as flags of `deno run`: its own address and no other, the weights and its own code to
 * read, its cache to read and write, the named variables; no program to run, of the system no more than how
 * much memory it has.
 */
export function servePermissions(
  { host, port }: Pick<ServeSettings, "host" | "port">,
  { weights, own }: Places,
): string[] {
  const kept = own === undefined ? [] : withTarget(dirname(own));
  const address = `${host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host}:${port}`;
  return [
    "--no-prompt",
    ...["--cached-only", "--deny-import", "--frozen"], // code comes from this machine alone
    `--allow-net=${address}`,
    `--allow-read=${listed([...[...CODE, "weights"].map(projectPath), ...weights, ...kept])}`,
    ...(kept.length > 0 ? [`--allow-write=${listed(kept)}`] : []),
    `--allow-env=${VARIABLES.join()}`,
    "--allow-sys=systemMemoryInfo", // whether a model fits
  ];
}

/** A directory, and its target if it is a link. */
function withTarget(directory: string): string[] {
  try {
    return [...new Set([directory, Deno.realPathSync(directory)])];
  } catch {
    return [directory]; // it is not there yet
  }
}

function listed(paths: readonly string[]): string {
  const wrong = paths.find((path) => path.includes(","));
  if (wrong !== undefined) {
    throw new UsageError(
      `Deno's permissions can't name a path with a comma: current value is ${wrong}`,
    );
  }
  return [...new Set(paths)].join();
}
