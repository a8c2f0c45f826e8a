/**
 * Measures a download against `curl` from the same server, and the memory that it takes. The server is a hub on loopback
 * in a process of its own, with a checkpoint in it; both write to the same directory.
 *
 *     deno run -A bench/download.ts --model DIR [--rate BYTES_PER_SECOND]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TestHub } from "../tests/support/hub.ts";

const ROUNDS = 5;
const REPOSITORY = "bench/model";
const POLL_MS = 5;
const ROOT = new URL("..", import.meta.url).pathname;

const { values } = parseArgs({
  options: {
    model: { type: "string", default: ".cache/gpt2-small-shape" },
    rate: { type: "string" },
    serve: { type: "boolean" },
  },
});
if (values.serve) await serve();
else await compare();

/** The server's process: it says where it is, and serves until it is killed. */
async function serve(): Promise<void> {
  const hub = new TestHub();
  if (values.rate) hub.rate = Number(values.rate);
  const names = ["config.json", "model.safetensors"];
  const files = names.map((name) => [name, join(values.model, name)]);
  await hub.publish(REPOSITORY, Object.fromEntries(files));
  console.log(hub.endpoint);
}

interface Run {
  readonly ms: number;
  /** The most memory that was resident, in MB. */
  readonly peak: number;
}

async function compare(): Promise<void> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", import.meta.filename!, "--serve", ...Deno.args],
    cwd: ROOT,
    stdout: "piped",
  }).spawn();
  const { value } = await server.stdout.getReader().read();
  const endpoint = new TextDecoder().decode(value).trim();
  const scratch = await Deno.makeTempDir({ prefix: "infoflow-bench-" });
  const size = (await Deno.stat(join(values.model, "model.safetensors"))).size;
  const env = {
    HF_HOME: scratch,
    XDG_CACHE_HOME: scratch,
    HF_ENDPOINT: endpoint,
    DENO_DIR: denoDirectory(),
  };
  const weights = ["run", "--allow-all", "src/cli/weights.ts"];
  try {
    const runs: Record<string, Run[]> = { curl: [], weights: [], "weights list": [] };
    for (let round = 0; round < ROUNDS; round++) {
      const url = `${endpoint}/${REPOSITORY}/resolve/main/model.safetensors`;
      runs.curl!.push(await run("curl", ["-sSfL", "-o", join(scratch, "curl.out"), url], env));
      await Deno.remove(join(scratch, "curl.out"));
      runs.weights!.push(await run(Deno.execPath(), [...weights, REPOSITORY], env));
      await Deno.remove(join(scratch, "hub"), { recursive: true });
      runs["weights list"]!.push(await run(Deno.execPath(), [...weights, "list"], env));
    }
    for (const [what, all] of Object.entries(runs)) {
      const ms = median(all.map((it) => it.ms));
      const peak = median(all.map((it) => it.peak));
      const rate = what === "weights list" ? "" : `, ${(size / 1e3 / ms).toFixed(0)} MB/s`;
      console.log(`${what}: ${ms.toFixed(0)} ms${rate}, ${peak.toFixed(0)} MB at most`);
    }
    const start = median(runs["weights list"]!.map((it) => it.ms));
    const [ours, theirs] = [runs.weights!, runs.curl!].map((all) => median(all.map((it) => it.ms)));
    console.log(
      `weights takes ${(ours! / theirs!).toFixed(2)} times as long as curl, ` +
        `${((ours! - start) / theirs!).toFixed(2)} times without the start of a Deno process`,
    );
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(scratch, { recursive: true });
  }
}

async function run(command: string, args: string[], env: Record<string, string>): Promise<Run> {
  const began = performance.now();
  const child = new Deno.Command(command, { args, env, cwd: ROOT, stdout: "null", stderr: "null" })
    .spawn();
  let peak = 0;
  let isRunning = true;
  const watching = (async () => {
    while (isRunning) {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
      peak = Math.max(peak, Number(status.match(/VmHWM:\s+(\d+) kB/)?.[1] ?? 0) / 1e3);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  })();
  const { success } = await child.status;
  const ms = performance.now() - began;
  isRunning = false;
  await watching;
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return { ms, peak };
}

function denoDirectory(): string {
  const { XDG_CACHE_HOME, HOME, DENO_DIR } = Deno.env.toObject();
  return DENO_DIR ?? join(XDG_CACHE_HOME ?? join(HOME!, ".cache"), "deno");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
