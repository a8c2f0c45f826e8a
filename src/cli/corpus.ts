import type { Schema } from "apache-arrow";
import { join } from "node:path";
import { checkColumns } from "../corpus/input/check_columns.ts";
import { Corpus } from "../corpus/input/corpus.ts";
import { expandInputs } from "../corpus/input/expand_inputs.ts";
import { type CorpusFormat, formatOf } from "../corpus/input/formats.ts";
import { alike, type InputFile, survey } from "../corpus/input/survey.ts";
import { spool } from "../corpus/input/spool.ts";
import { AnswersJob } from "../corpus/jobs/answers_job.ts";
import { dashboardEngine } from "../corpus/jobs/dashboards/dashboard_engine.ts";
import { DashboardsJob } from "../corpus/jobs/dashboards/dashboards_job.ts";
import { placeLabels } from "../corpus/jobs/dashboards/labels.ts";
import { HeadStatisticsJob } from "../corpus/jobs/head_statistics_job.ts";
import { mergeShards } from "../corpus/jobs/merge_shards.ts";
import { statisticsEngine } from "../corpus/jobs/statistics_engine.ts";
import type { DonePart, Manifest, RunIdentity } from "../corpus/output/manifest.ts";
import { displayFor } from "../corpus/run/displays.ts";
import type { Job } from "../corpus/run/job.ts";
import { Progress } from "../corpus/run/progress.ts";
import { runCorpus, type RunResult } from "../corpus/run/run_corpus.ts";
import { InfoflowError } from "../errors.ts";
import { BatchQuestion } from "../server/batch/batch_question.ts";
import type { Caller } from "../server/queue/caller.ts";
import type { LoadedModel } from "../server/answers/loaded_model.ts";
import { loadModels } from "../server/serving/load_models.ts";
import { corpusCall, type CorpusSettings } from "./corpus_settings.ts";
import { showLoadBars } from "./load_bars.ts";
import { ownFile } from "./own_file.ts";
import { UsageError } from "./flags.ts";
import { goToCaller } from "./go_to_caller.ts";
import { runCommand } from "./run_command.ts";

/** Bytes of patterns that are kept: beginnings that prompts share. */
const CACHE_BYTES = 64 * 2 ** 20;

/** The priority of a job: no user waits for a single row. */
const JOB: Caller = { priority: "batch" };

/** The exit code after a signal: the parts that were done are kept. */
const STOPPED = 130;

/** Runs a question over a corpus, or makes shards one. */
async function corpus(): Promise<void> {
  const call = corpusCall(Deno.args);
  if ("help" in call) return console.log(call.help);
  if (call.stopWithStdin) exitWithStdin();
  if ("merge" in call) {
    const { manifest, files } = await mergeShards(call.merge.directory, call.merge.shards);
    for (const line of summary(manifest, call.merge.directory, files)) console.log(line);
    Deno.exit(0); // standard input may be open
  }
  const { isDone, manifest, files } = await run(call.run);
  for (const line of summary(manifest, call.run.directory, files)) console.log(line);
  if (!isDone) console.log("stopped: the same command again goes on from here");
  Deno.exit(isDone ? 0 : STOPPED); // the engine's worker would keep the process alive
}

async function run(settings: CorpusSettings): Promise<RunResult> {
  const { directory, shard, shards } = settings;
  const files = await surveyAll(settings);
  const corpus = new Corpus(files);
  const { column, field } = settings;
  const columns = await checkColumns(corpus, { column, areCarried: field !== undefined });
  const { models: [model] } = await loadModels({
    asked: settings.model === undefined ? [] : [settings.model],
    saes: settings.sae === undefined ? [] : [settings.sae],
    cacheBytes: CACHE_BYTES,
    weightType: settings.weightType,
    adapter: { adapter: settings.adapter },
    tuning: { file: ownFile("tuning.json") },
    verifiedFile: ownFile("verified.json"),
    fingerprintsFile: ownFile("fingerprints.json"),
    progress: showLoadBars(),
  });
  const job = jobOf(settings, { model: { ...model!, engine: model!.engine.for(JOB) }, columns });
  const { info } = model!.engine;
  if (settings.labels.length > 0 && shard === 1) { // others may write into the same directory
    const { config } = info.saes.find(({ name }) => name === saeOf(settings, model!))!;
    await placeLabels(directory, settings.labels, config.features);
  }
  const identity: RunIdentity = {
    version: 1,
    name: job.name,
    options: job.options,
    model: { name: model!.name, fingerprint: info.fingerprint },
    inputs: files.map(({ path, bytes, sha256, rows }) => ({ path, bytes, sha256, rows })),
    rows: corpus.rows,
    partRows: settings.partRows ?? job.partRows,
  };
  const stop = stopOnSignal();
  return await runCorpus(job, corpus, {
    directory,
    identity,
    device: info.device.description,
    shard,
    shards,
    progress: new Progress(displayFor(Deno.stderr.isTerminal())),
    isStopped: () => stop.isAsked,
  });
}

function jobOf(
  settings: CorpusSettings,
  { model, columns }: { readonly model: LoadedModel; readonly columns: Schema },
): Job {
  const { column, top, definition, onePerPrompt, name, field, args, layout } = settings;
  if (field !== undefined) {
    return new AnswersJob(new BatchQuestion([model], { field, args, layout }), { column, columns });
  }
  if (name === "dashboards") {
    const sae = saeOf(settings, model);
    return new DashboardsJob(dashboardEngine(model, sae), { sae, column, top, onePerPrompt });
  }
  return new HeadStatisticsJob(statisticsEngine(model), { column, top, definition, reading: {} });
}

/** The autoencoder that dashboards are of, by its name among the model's. */
function saeOf({ sae }: CorpusSettings, model: LoadedModel): string {
  const names = model.engine.info.saes.map(({ name }) => name);
  if (sae === undefined) {
    throw new UsageError(`dashboards takes --sae NAME, one of ${names.join(", ") || "none"}`);
  }
  const own = sae.replace(/=.*$/, "").replace(/\/+$/, "");
  const found = names.find((name) => name === own || name === own.split("/").at(-1));
  if (found !== undefined) return found;
  throw new UsageError(`--sae must be one of ${names.join(", ")}: current value is ${sae}`);
}

/** Reads every file once: its rows, columns and hash. */
async function surveyAll(
  { inputs, format, directory, column }: CorpusSettings,
): Promise<readonly InputFile[]> {
  if (inputs.includes("-")) {
    if (inputs.length > 1) {
      throw new InfoflowError("BAD_USER_INPUT", "Cannot read standard input beside files");
    }
    const path = join(directory, `_input.${format ?? "text"}`);
    await spool(Deno.stdin.readable, path);
    return [await survey(path, format ?? "text", column)];
  }
  const surveyed: InputFile[] = [];
  for (const path of await expandInputs(inputs)) {
    const known: CorpusFormat = format ?? formatOf(path);
    surveyed.push(await survey(path, known, column));
  }
  return alike(surveyed, column);
}

/** Ends the process when standard input ends: parts that are done are kept. */
async function exitWithStdin(): Promise<void> {
  await Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {});
  Deno.exit(STOPPED);
}

/** The first signal ends the run after its current part, the second at once. */
function stopOnSignal(): { readonly isAsked: boolean } {
  const stop = { isAsked: false };
  const onSignal = (): void => {
    if (stop.isAsked) Deno.exit(STOPPED);
    stop.isAsked = true;
    console.error("stopping when this part is done; once more stops at once");
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    if (Deno.build.os === "windows" && signal === "SIGTERM") continue;
    Deno.addSignalListener(signal, onSignal);
  }
  return stop;
}

/** What was done, what was refused and why. */
function summary(
  { rows, parts }: Manifest,
  directory: string,
  files: readonly string[],
): string[] {
  const done = parts.reduce((sum, { first, end }) => sum + end - first, 0);
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  const count = (number: number): string => number.toLocaleString("en");
  const refused = refusedOf(parts);
  return [
    `${count(done)} of ${count(rows)} rows, ${count(tokens)} tokens, ` +
    `${count(parts.length)} ${parts.length === 1 ? "part" : "parts"} in ${directory}`,
    ...[...refused].map(([code, rows]) => `  ${count(rows)} refused: ${code}`),
    ...files.map((file) => `  ${join(directory, file)}`),
  ];
}

function refusedOf(parts: readonly DonePart[]): Map<string, number> {
  const refused = new Map<string, number>();
  for (const part of parts) {
    for (const [code, rows] of Object.entries(part.refused)) {
      refused.set(code, (refused.get(code) ?? 0) + rows);
    }
  }
  return refused;
}

if (import.meta.main) {
  goToCaller();
  await runCommand(corpus);
}
