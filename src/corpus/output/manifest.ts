import { InfoflowError } from "../../errors.ts";
import { readIfThere } from "../../files.ts";
import { writeFile } from "./write_file.ts";

/** The identity of a run: two runs that agree in all members make the same files. */
export interface RunIdentity {
  /** Of the manifest's form. */
  readonly version: 1;
  /** What is computed, such as `head-statistics`. */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly model: { readonly name: string; readonly fingerprint: string };
  readonly inputs: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly rows: number;
  }[];
  readonly rows: number;
  /** Rows of a part; the last one has what is left. */
  readonly partRows: number;
}

/** A part that is done. */
export interface DonePart {
  readonly part: number;
  /** Its first row, and the one after its last. */
  readonly first: number;
  readonly end: number;
  /** Its files and their bytes. */
  readonly files: Readonly<Record<string, number>>;
  /** Tokens of all rows that were accepted. */
  readonly tokens: number;
  /** How many rows were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
}

/** The record of a run: its question, the adapters it ran on, and the parts that are done. */
export interface Manifest extends RunIdentity {
  /** Adapters that parts were computed on. */
  readonly devices: readonly string[];
  /** In the order of their numbers. */
  readonly parts: readonly DonePart[];
}

/** The file's name; a shard that shares a directory with others has one of its own. */
export function manifestName(shard: number, shards: number): string {
  return shards === 1 ? "_infoflow.json" : `_infoflow-${shard}-of-${shards}.json`;
}

/** Reads a manifest; undefined where there is none. */
export async function readManifest(path: string): Promise<Manifest | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.version === 1 && Array.isArray(manifest.parts)) return manifest;
  } catch {
    // not JSON: refused below
  }
  throw new InfoflowError("BAD_USER_INPUT", `Cannot read ${path} as it is no manifest of a run`);
}

/** Writes a manifest. Same run, same bytes: it has no times in it. */
export async function writeManifest(path: string, manifest: Manifest): Promise<void> {
  const { devices, parts, ...identity } = manifest;
  const ordered = {
    ...identity,
    devices: [...new Set(devices)].sort(),
    parts: parts.toSorted((a, b) => a.part - b.part),
  };
  const text = `${JSON.stringify(ordered, undefined, 1)}\n`;
  await writeFile(path, [new TextEncoder().encode(text)]);
}

/**
 * Makes sure that two runs are one.
 *
 * @throws {InfoflowError} BAD_USER_INPUT, with what differs.
 */
export function checkSameRun(there: RunIdentity, wanted: RunIdentity, where: string): void {
  const differing = differences(there, wanted);
  if (differing.length === 0) return;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot go on in ${where} as it has another run: ${differing.join("; ")}. ` +
      "Give the command that began it, or another directory",
  );
}

/** What differs, in words. */
function differences(there: RunIdentity, wanted: RunIdentity): string[] {
  const found: string[] = [];
  const compare = (what: string, a: unknown, b: unknown): void => {
    const [before, now] = [a, b].map((it) => JSON.stringify(it) ?? "nothing");
    if (before !== now) found.push(`${what} was ${before} and is ${now}`);
  };
  compare("what is computed", there.name, wanted.name);
  compare("the model", there.model, wanted.model);
  for (const name of new Set([...Object.keys(there.options), ...Object.keys(wanted.options)])) {
    compare(name, there.options[name], wanted.options[name]);
  }
  compare("the number of rows of a part", there.partRows, wanted.partRows);
  compare("the number of input files", there.inputs.length, wanted.inputs.length);
  wanted.inputs.forEach(({ path, sha256 }, at) => {
    compare(`the hash of ${path}`, there.inputs[at]?.sha256, sha256);
  });
  return found;
}

/** Whether all parts of a run are done. */
export function isComplete({ rows, partRows, parts }: Manifest): boolean {
  return parts.length === Math.ceil(rows / partRows);
}
