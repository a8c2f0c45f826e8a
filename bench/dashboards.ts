/**
 * Makes the dashboards of all features of `res-4` over a corpus, then SAEDashboard's (`peers/saedashboard.py`) over the same
 * token ids, compares them, and prints a line of JSON for each:
 *
 *     deno run -A bench/dashboards.ts --ids FILE.json --work DIR [--features N]
 *
 * FILE.json has the token ids of each prompt, BOS first. SAEDashboard and its Python are set up in WORK the first time, which
 * takes minutes; with all 1,024 features it computes for five minutes more. `--features N` has it make the first N only.
 */
import { parseArgs } from "node:util";
import { join, resolve } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { linesOf } from "./lines.ts";

/** Positions that SAEDashboard leaves out of its largest places: it shows five tokens on each side. */
const EDGE = 5;

const { values } = parseArgs({
  options: { ids: { type: "string" }, work: { type: "string" }, features: { type: "string" } },
});
const work = resolve(values.work!);
await Deno.mkdir(work, { recursive: true });
const bundled = new URL("../weights/bundled", import.meta.url).pathname;
const sae = `${bundled}/sae/res-4`;
const ids = JSON.parse(await Deno.readTextFile(values.ids!)) as number[][];

interface Took {
  readonly wall_s: number;
  readonly cpu_s: number;
  readonly memory_mib: number;
}

interface Feature {
  readonly count: number;
  readonly top: readonly {
    readonly prompt: number;
    readonly position: number;
    readonly activation: number;
  }[];
}

const ours = await makeOurs();
const python = await setUp(join(work, "venv"));
const peer = new URL("peers/saedashboard.py", import.meta.url).pathname;
const out = join(work, "saedashboard.json");
const flags = ["--model", bundled, "--sae", sae, "--ids", resolve(values.ids!), "--out", out];
if (values.features !== undefined) flags.push("--features", values.features);
for await (const took of linesOf<Took>(python, [peer, ...flags])) {
  console.log(JSON.stringify(took));
  const ratios = { wall: took.wall_s / ours.took.wall_s, cpu: took.cpu_s / ours.took.cpu_s };
  console.log(JSON.stringify({ what: "SAEDashboard's time by ours", ...ratios }));
}
console.log(JSON.stringify(compare(ours.features, JSON.parse(await Deno.readTextFile(out)))));

/** Runs the command as a user does, from start to end. */
async function makeOurs(): Promise<{ took: Took; features: Feature[] }> {
  const input = join(work, "ids.jsonl");
  const directory = join(work, "ours");
  await Deno.writeTextFile(input, ids.map((it) => `${JSON.stringify({ ids: it })}\n`).join(""));
  await Deno.remove(directory, { recursive: true }).catch(() => {});
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("../src/cli/corpus.ts", import.meta.url).pathname,
      "dashboards",
      "--model",
      "bundled",
      "--sae",
      "res-4",
      input,
      directory,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let used = { cpu_s: 0, memory_mib: 0 };
  const timer = setInterval(() => used = usedBy(child.pid) ?? used, 50);
  const { success } = await child.status;
  clearInterval(timer);
  if (!success) throw new Error("Cannot make dashboards: the command failed");
  const took = { wall_s: (performance.now() - began) / 1000, ...used };
  const features = await readOurs(join(directory, "features.parquet"));
  console.log(JSON.stringify({ what: "here", features: features.length, ...took }));
  return { took, features };
}

/** Seconds of the processor so far, and the most memory, from `/proc`. */
function usedBy(pid: number): { cpu_s: number; memory_mib: number } | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const kib = Number(status.match(/VmHWM:\s+(\d+)/)![1]);
    return { cpu_s: (Number(stat[11]) + Number(stat[12])) / 100, memory_mib: kib / 1024 };
  } catch {
    return undefined; // it has ended
  }
}

async function readOurs(path: string): Promise<Feature[]> {
  const { readParquet } = await import("parquet-wasm/bundler");
  const bytes = readParquet(await Deno.readFile(path)).intoIPCStream();
  return tableFromIPC(bytes).toArray().map((row) => ({
    count: Number(row.count),
    top: [...row.examples].filter(({ group }) => group === null)
      .map(({ prompt, position, activation }) => {
        return { prompt: Number(prompt), position, activation };
      }),
  }));
}

/** A virtual environment with SAEDashboard. */
async function setUp(directory: string): Promise<string> {
  const python = join(directory, "bin/python");
  const isThere = await Deno.stat(join(directory, "done")).then(() => true, () => false);
  if (isThere) return python;
  const run = async (command: string, args: string[]): Promise<void> => {
    const { success } = await new Deno.Command(command, { args, stdout: "null" }).output();
    if (!success) {
      throw new Error(`Cannot set SAEDashboard up: ${command} ${args.join(" ")} failed`);
    }
  };
  const requirements = new URL("peers/saedashboard.txt", import.meta.url).pathname;
  await run("python3", ["-m", "venv", directory]);
  await run(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
  await run(python, ["-m", "pip", "install", "--quiet", "--no-deps", "sae-dashboard==0.8.0"]);
  await Deno.writeTextFile(join(directory, "done"), "");
  return python;
}

/** How far two results are apart. Places are compared by the activations at their ranks: equal ones may be in any order. */
function compare(features: readonly Feature[], theirs: readonly Feature[]): unknown {
  let counts = 0;
  let places = 0;
  let error = 0;
  const longest = Math.max(...ids.map(({ length }) => length));
  theirs.forEach(({ count, top }, f) => {
    counts = Math.max(counts, Math.abs(count - features[f]!.count));
    const largest = features[f]!.top[0]?.activation ?? 1;
    const isInside = ({ position }: Feature["top"][number]): boolean =>
      position > EDGE && position < longest - EDGE;
    const own = features[f]!.top.filter(isInside);
    own.slice(0, top.length).forEach(({ activation }, rank) => {
      places++;
      error = Math.max(error, Math.abs(activation - top[rank]!.activation) / largest);
    });
  });
  return { what: "compared", features: theirs.length, places, counts, error };
}
