import { Corpus } from "../../src/corpus/input/corpus.ts";
import { formatOf } from "../../src/corpus/input/formats.ts";
import { survey } from "../../src/corpus/input/survey.ts";
import { HeadStatisticsJob } from "../../src/corpus/jobs/head_statistics_job.ts";
import type { RunIdentity } from "../../src/corpus/output/manifest.ts";
import { Progress } from "../../src/corpus/run/progress.ts";
import { runCorpus, type RunResult } from "../../src/corpus/run/run_corpus.ts";
import { fakeStatistics } from "../support/fake_statistics.ts";

/** How a run over a file differs from the usual one. */
export interface FakeRun {
  readonly input: string;
  readonly directory: string;
  readonly partRows?: number;
  readonly top?: number;
  readonly model?: string;
  readonly definition?: "infoflow" | "headvis";
  readonly shard?: number;
  readonly shards?: number;
  /** Ms that the engine takes for a group of prompts. */
  readonly ms?: number;
  readonly isStopped?: () => boolean;
}

/** Runs statistics over a file as `deno task corpus` does, with an engine that needs no device. */
export async function fakeRun(options: FakeRun): Promise<RunResult> {
  const { input, directory, partRows = 100, top = 4, model = "fake", shard = 1, shards = 1 } =
    options;
  const file = await survey(input, formatOf(input));
  const engine = fakeStatistics(() =>
    new Promise((resolve) => setTimeout(resolve, options.ms ?? 0))
  );
  const job = new HeadStatisticsJob(engine, {
    column: undefined,
    top,
    definition: options.definition ?? "infoflow",
    reading: {},
  });
  const { path, bytes, sha256, rows } = file;
  const identity: RunIdentity = {
    version: 1,
    name: job.name,
    options: job.options,
    model: { name: model, fingerprint: "1" },
    inputs: [{ path, bytes, sha256, rows }],
    rows,
    partRows,
  };
  return await runCorpus(job, new Corpus([file]), {
    directory,
    identity,
    device: "none",
    shard,
    shards,
    progress: new Progress({ show: () => {}, stop: () => {} }),
    isStopped: options.isStopped ?? (() => false),
  });
}

if (import.meta.main) {
  await fakeRun(JSON.parse(Deno.args[0]!) as FakeRun);
}
