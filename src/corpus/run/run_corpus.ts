import { join } from "node:path";
import type { Corpus } from "../input/corpus.ts";
import { holdDirectory } from "../output/hold_directory.ts";
import {
  type DonePart,
  isComplete,
  type Manifest,
  manifestName,
  type RunIdentity,
  writeManifest,
} from "../output/manifest.ts";
import { openOutput } from "../output/open_output.ts";
import type { Job, Part } from "./job.ts";
import type { Progress } from "./progress.ts";

/** How to run a job over a corpus. */
export interface CorpusRunOptions {
  readonly directory: string;
  readonly identity: RunIdentity;
  readonly device: string;
  /** Which parts are made: those whose number is `shard - 1` modulo `shards`. */
  readonly shard: number;
  readonly shards: number;
  readonly progress: Progress;
  /** Whether to stop before the next part. */
  isStopped(): boolean;
}

/** The outcome of a run. */
export interface RunResult {
  readonly manifest: Manifest;
  /** Whether all parts of this shard are there. */
  readonly isDone: boolean;
  /** Files of the whole corpus that were made. */
  readonly files: readonly string[];
}

/**
 * Runs a job over a corpus, part by part. Parts that the same run made before are not made again, and no
 * crash loses a finished part: its files are complete before the manifest lists it.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if the directory can't be used, or another process is at work there; DISK_FULL.
 */
export async function runCorpus(
  job: Job,
  corpus: Corpus,
  options: CorpusRunOptions,
): Promise<RunResult> {
  const { directory, identity, shard, shards, progress } = options;
  const manifestFile = manifestName(shard, shards);
  const isMine = (part: number): boolean => part % shards === shard - 1;
  const done = new Map<number, DonePart>();
  for (const part of await openOutput(directory, identity, { manifestFile, isMine })) {
    done.set(part.part, part);
  }
  await using _lock = await holdDirectory(directory, manifestFile.replace(".json", ".lock"));
  const manifest = (): Manifest => ({
    ...identity,
    devices: [options.device],
    parts: [...done.values()],
  });
  const path = join(directory, manifestFile);
  await writeManifest(path, manifest());
  const mine = partsOf(identity).filter(({ part }) => isMine(part));
  const missing = mine.filter(({ part }) => !done.has(part));
  const rowsOf = (parts: readonly Part[]): number =>
    parts.reduce((sum, { first, end }) => sum + end - first, 0);
  progress.begin({ rows: rowsOf(mine), before: rowsOf(mine) - rowsOf(missing) });
  try {
    for (const part of missing) {
      if (options.isStopped()) break;
      const counted = progress.part(part);
      const files = await job.make(part, corpus, { directory, progress: counted });
      done.set(part.part, { ...part, files, ...counted.counts });
      await writeManifest(path, manifest());
    }
  } finally {
    progress.end();
  }
  const isDone = mine.every(({ part }) => done.has(part));
  const files = isComplete(manifest()) ? await job.finish(directory, manifest(), corpus) : [];
  await corpus.close();
  return { manifest: manifest(), isDone, files };
}

/** The parts of a run, in their order. */
function partsOf({ rows, partRows }: Pick<RunIdentity, "rows" | "partRows">): Part[] {
  return Array.from({ length: Math.ceil(rows / partRows) }, (_, part) => ({
    part,
    first: part * partRows,
    end: Math.min((part + 1) * partRows, rows),
  }));
}
