/**
 * `./run bench --gpu`: everything that a machine with a GPU is asked, unattended and without a network, in one JSON file:
 * the kernels' tests first, then the adapter's peaks, its kernels, and the engine on random weights of GPT-2 small's
 * shape, which are made here.
 *
 *     deno run -A bench/gpu.ts [--out FILE] [--layers N]
 */
import { parseArgs } from "node:util";
import { dirname, join } from "node:path";
import { safetensors } from "../tests/support/write_checkpoint.ts";
import { randomModel } from "../tests/support/random_model.ts";
import { linesOf } from "./lines.ts";
import type { Sample } from "./measure.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const { values: { out, layers } } = parseArgs({
  options: {
    out: { type: "string", default: `${ROOT}.cache/bench-gpu.json` },
    layers: { type: "string", default: "12" },
  },
});
/** GPT-2 small. */
const CONFIG = {
  model_type: "gpt2",
  n_layer: Number(layers),
  n_head: 12,
  n_embd: 768,
  n_positions: 1024,
  vocab_size: 50257,
  activation_function: "gelu_new",
  layer_norm_epsilon: 1e-5,
};
const measured: Record<string, unknown> = { model: CONFIG };
/** What there is so far: a run that is broken off leaves it. */
const keep = async (part: Record<string, unknown>): Promise<void> => {
  Object.assign(measured, part);
  await Deno.mkdir(dirname(out), { recursive: true });
  await Deno.writeTextFile(out, JSON.stringify(measured, null, 2) + "\n");
};
const log = (line: string): void => console.error(line);
const script = <T>(name: string, ...flags: string[]): AsyncGenerator<T> =>
  linesOf<T>(Deno.execPath(), [
    "run",
    "-A",
    `--config=${ROOT}deno.json`,
    `${ROOT}bench/${name}`,
    ...flags,
  ]);

log("the kernels' tests");
const tests = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--quiet", "tests/kernels", "tests/flow"],
  cwd: ROOT,
}).output();
const verdict = new TextDecoder().decode(tests.stdout).match(/(\d+) passed.*?(\d+) failed/);
if (!tests.success) {
  console.error(new TextDecoder().decode(tests.stdout).slice(-4000));
  throw new Error("Cannot measure as kernels compute what is wrong: see above");
}

log("the adapter and its kernels");
const [device] = await Array.fromAsync(script("device.ts", "--json"));
await keep({ tests: verdict?.[0], device });

log("a random model");
const model = await Deno.makeTempDir({ prefix: "infoflow-bench-" });
const samples: Sample[] = [];
try {
  await Deno.writeTextFile(join(model, "config.json"), JSON.stringify(CONFIG));
  await Deno.writeFile(join(model, "model.safetensors"), safetensors(randomModel(CONFIG, 1)));
  log("the engine");
  for await (const sample of script<Sample>("engine.ts", "--source", ROOT, "--model", model)) {
    samples.push(sample);
  }
} finally {
  await Deno.remove(model, { recursive: true });
}
await keep({ samples });
for (const { what, T, min_ms } of samples) {
  console.log(`| ${what} | ${T} | ${min_ms.toFixed(2)} ms |`);
}
console.log(`${out} has all figures`);
