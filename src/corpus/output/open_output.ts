import { join, relative, resolve } from "node:path";
import { InfoflowError } from "../../errors.ts";
import { statIfThere } from "../../files.ts";
import { checkSameRun, type Manifest, readManifest, type RunIdentity } from "./manifest.ts";

/**
 * Makes a directory ready for a run: a new one, or one where the same run was begun.
 *
 * @returns What is done already, as far as its files are there.
 * @throws {InfoflowError} BAD_USER_INPUT if an input lies in it, or it has files of something else, which the text names.
 */
export async function openOutput(
  directory: string,
  identity: RunIdentity,
  { manifestFile, isMine }: {
    readonly manifestFile: string;
    /** Whether a part is this process's to make. */
    isMine(part: number): boolean;
  },
): Promise<Manifest["parts"]> {
  for (const { path } of identity.inputs) {
    const inside = relative(resolve(directory), resolve(path));
    if (!inside.startsWith("..") && !inside.startsWith("_input.")) {
      throw bad(`Cannot write into ${directory} as ${path} lies in it: choose another directory`);
    }
  }
  const before = await statIfThere(directory);
  if (before && !before.isDirectory) {
    throw bad(`Cannot write into ${directory} as it is no directory`);
  }
  await Deno.mkdir(directory, { recursive: true });
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  const manifests = names.filter((name) => /^_infoflow.*\.json$/.test(name));
  const strangers = names.filter((name) => !/^(_infoflow|_input\.|part-|statistics-)/.test(name));
  if (manifests.length === 0 && strangers.length > 0) {
    throw bad(
      `Cannot write into ${directory} as it must be empty or have a run to go on with: ` +
        `it has ${strangers.slice(0, 3).join(", ")}`,
    );
  }
  for (const name of manifests) {
    const manifest = await readManifest(join(directory, name));
    if (manifest) checkSameRun(manifest, identity, directory);
  }
  for (const name of names) {
    const [, part] = name.match(/^[a-z]+-(\d{5,})\.\w+\.partial$/) ?? [];
    if (part !== undefined && isMine(Number(part))) await Deno.remove(join(directory, name));
  }
  const manifest = await readManifest(join(directory, manifestFile));
  const done: Manifest["parts"][number][] = [];
  for (const part of manifest?.parts ?? []) {
    const sizes = await Promise.all(
      Object.keys(part.files).map((name) => statIfThere(join(directory, name))),
    );
    const isThere = Object.values(part.files).every((bytes, at) => sizes[at]?.size === bytes);
    if (isThere) done.push(part);
  }
  return done;
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
