import { join, resolve } from "node:path";
import { InfoflowError } from "../../errors.ts";
import { statIfThere } from "../../files.ts";
import {
  checkSameRun,
  type DonePart,
  isComplete,
  type Manifest,
  manifestName,
  readManifest,
  writeManifest,
} from "../output/manifest.ts";
import { finishDashboards } from "./dashboards/finish_dashboards.ts";
import { LABELS } from "./dashboards/labels.ts";
import { finishHeadStatistics } from "./finish_head_statistics.ts";

/** The functions that merge a run's parts into whole files, by the run's name. */
const FINISH: Readonly<
  Record<string, (directory: string, manifest: Manifest) => Promise<readonly string[]>>
> = { "head-statistics": finishHeadStatistics, dashboards: finishDashboards };

/**
 * Makes shards one run: copies their parts into a directory, which may be theirs, and makes what is of the whole corpus.
 * The result is that of a run that was never split.
 *
 * @param shards Their directories; none where all wrote into `directory`.
 * @throws {InfoflowError} BAD_USER_INPUT if they are of different runs, or parts are missing; it says which.
 */
export async function mergeShards(
  directory: string,
  shards: readonly string[],
): Promise<{ readonly manifest: Manifest; readonly files: readonly string[] }> {
  await Deno.mkdir(directory, { recursive: true });
  const parts = new Map<number, DonePart>();
  const devices: string[] = [];
  let run: Manifest | undefined;
  const own: string[] = [];
  for (const shard of new Set([directory, ...shards])) {
    for (const path of await manifestsIn(shard)) {
      const manifest = (await readManifest(path))!;
      run ??= manifest;
      checkSameRun(run, manifest, shard);
      devices.push(...manifest.devices);
      for (const part of manifest.parts) {
        if (!parts.has(part.part)) await copyPart(part, { from: shard, to: directory });
        parts.set(part.part, part);
      }
      if (resolve(shard) === resolve(directory)) own.push(path);
    }
    const labels = [shard, directory].map((it) => join(it, LABELS)) as [string, string];
    const [from, to] = await Promise.all(labels.map(statIfThere));
    if (from && !to) await Deno.copyFile(...labels);
  }
  if (!run) throw bad(`Cannot merge as there is no run in ${[directory, ...shards].join(", ")}`);
  const manifest: Manifest = { ...run, devices, parts: [...parts.values()] };
  if (!isComplete(manifest)) throw bad(`Cannot merge as parts are missing: ${missing(manifest)}`);
  const path = join(directory, manifestName(1, 1));
  await writeManifest(path, manifest);
  for (const other of own) if (resolve(other) !== resolve(path)) await Deno.remove(other);
  const files = await FINISH[run.name]?.(directory, manifest) ?? [];
  return { manifest, files };
}

async function manifestsIn(directory: string): Promise<string[]> {
  if (!await statIfThere(directory)) throw bad(`Cannot read ${directory} as it isn't there`);
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  return names.filter((name) => /^_infoflow.*\.json$/.test(name)).sort()
    .map((name) => join(directory, name));
}

async function copyPart(
  { files }: DonePart,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const source = join(from, name);
    if ((await statIfThere(source))?.size !== bytes) {
      throw bad(`Cannot merge as ${source} must have ${bytes} bytes: it isn't there or is another`);
    }
    if (resolve(from) === resolve(to)) continue;
    await Deno.copyFile(source, `${join(to, name)}.partial`);
    await Deno.rename(`${join(to, name)}.partial`, join(to, name));
  }
}

function missing({ rows, partRows, parts }: Manifest): string {
  const there = new Set(parts.map(({ part }) => part));
  const numbers = Array.from({ length: Math.ceil(rows / partRows) }, (_, part) => part)
    .filter((part) => !there.has(part));
  const more = numbers.length > 10 ? `, … (${numbers.length} in all)` : "";
  return numbers.slice(0, 10).join(", ") + more;
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
