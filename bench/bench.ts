/**
 * `deno task bench`: measures Infoflow, its peers and the adapter in one run, and prints what
 * `docs/performance.md` is written from. Takes about ten minutes, and more the first time.
 */
import { helpOf, parseFlags } from "../src/cli/flags.ts";
import { gpt2SmallShape } from "../tests/support/gpt2_small.ts";
import type { Rate } from "./peaks.ts";
import { withVersion } from "./earlier_version.ts";
import { figuresOf, type Measured } from "./figures.ts";
import { linesOf } from "./lines.ts";
import type { Sample } from "./measure.ts";
import { setUpPeers } from "./peers.ts";
import { printTables } from "./tables.ts";

const FLAGS = {
  json: { type: "boolean", help: "print JSON instead of tables" },
  against: { type: "string", value: "REF", help: "measure an earlier version of the project too" },
  model: {
    type: "string",
    value: "DIR",
    help: "a float32 GPT-2; a random one of GPT-2 small's shape by default",
  },
  gpu: { type: "boolean", help: "everything for a GPU, without a network: see bench/gpu.ts" },
  out: {
    type: "string",
    value: "FILE",
    help: "with --gpu: where to, without the ending (default: .cache/bench-gpu)",
  },
  python: {
    type: "string",
    value: "PATH",
    help: "with --gpu: a Python with torch and transformers (default: python3)",
  },
  quick: { type: "boolean", help: "no peers: nothing to download, and three minutes" },
  help: { type: "boolean", help: "this text" },
} as const;

const ROOT = new URL("../", import.meta.url).pathname;
const FIXTURES = `${ROOT}tests/fixtures/gpt2-small-shape`;

const { values } = parseFlags(Deno.args, FLAGS);
if (values.get("help")) {
  console.log(helpOf("deno task bench [flags]", FLAGS));
  Deno.exit(0);
}
if (values.get("gpu")) {
  const { benchGpu } = await import("./gpu.ts");
  await benchGpu({
    out: values.get("out") as string | undefined ?? `${ROOT}.cache/bench-gpu`,
    python: values.get("python") as string | undefined ?? "python3",
  });
  Deno.exit(0);
}
const log = (line: string): void => console.error(line);
const own = values.get("model") as string | undefined;
const model = own ?? await gpt2SmallShape();
const peers = values.get("quick")
  ? undefined
  : await setUpPeers({ model, cache: cacheDirectory(), log });
const fixtures = own ? [] : [`${FIXTURES}/T14.safetensors`, `${FIXTURES}/T65.safetensors`];
const references = peers?.references ?? fixtures;

const samples: Sample[] = [];
const rates: Rate[] = [];
let adapter = "";
const take = async (source: AsyncIterable<Sample>): Promise<void> => {
  for await (const sample of source) {
    refuseWrong(sample);
    samples.push(sample);
  }
};

log("the adapter and the kernels");
for await (const line of script<Rate & { adapter?: string }>("adapter.ts", ["--model", model])) {
  if (line.adapter !== undefined) adapter = line.adapter;
  else rates.push(line);
}
log("the engine");
await take(engineSamples(ROOT));
if (peers) {
  await take(peers.measure());
  log("activation patching");
  const patching = ["--model", model, "--reference", peers.patching];
  await take(script<Sample>("patching.ts", patching));
  log("features, SAELens and the engine one after the other");
  const { python, work } = peers;
  await take(script("features.ts", ["--model", model, "--python", python, "--work", work]));
  log("the engine again, so that peers and engine see the same machine");
  await take(engineSamples(ROOT));
}
log("the server");
await take(serverSamples(ROOT));

const against = values.get("against") as string | undefined;
const earlier: Sample[] = [];
if (against !== undefined) {
  await withVersion(against, async (directory) => {
    for (const round of [1, 2]) {
      log(`${against} and now, in turns: ${round} of 2`);
      for await (const sample of engineSamples(directory)) earlier.push(sample);
      for await (const sample of serverSamples(directory)) earlier.push(sample);
      await take(engineSamples(ROOT));
      await take(serverSamples(ROOT));
    }
  });
}

const measured: Measured = { adapter, samples, rates };
if (values.get("json")) {
  const figures = figuresOf(measured);
  console.log(JSON.stringify({ ...measured, figures, earlier }, null, 2));
} else {
  const before = against === undefined ? undefined : { version: against, samples: earlier };
  printTables(measured, before);
}

/** Outside the project, whose tools would go through the thousands of files. References are about one model. */
function cacheDirectory(): string {
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return `${caches}/infoflow/bench${own ? `-${own.replaceAll(/\W/g, "-")}` : ""}`;
}

function engineSamples(source: string): AsyncGenerator<Sample> {
  const flags = ["--source", source, "--model", model];
  const cases = references.flatMap((path) => ["--reference", path]);
  return script<Sample>("engine.ts", [...flags, ...cases], `${source}/deno.json`);
}

function serverSamples(source: string): AsyncGenerator<Sample> {
  return script<Sample>("server.ts", ["--source", source, "--model", model]);
}

function script<T>(name: string, flags: string[], config = `${ROOT}deno.json`): AsyncGenerator<T> {
  const path = new URL(name, import.meta.url).pathname;
  return linesOf<T>(Deno.execPath(), ["run", "-A", "--config", config, path, ...flags]);
}

/** float32 in two honest implementations differs by 5e-6 on this model; with float16 weights it would be 3e-3. */
function refuseWrong({ what, T, error = 0 }: Sample): void {
  if (!(error <= 1e-4)) throw new Error(`${what} at T = ${T} is off by ${error}: it is not timed`);
}
