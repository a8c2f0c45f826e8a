/**
 * Measures what the adapter can do and what the kernels make of it, and prints a line of JSON for each: see `bench.ts`.
 *
 *     deno run -A bench/adapter.ts --model DIR [--T TOKENS]...
 */
import { parseArgs } from "node:util";
import { createEngine } from "../src/thread/create_engine.ts";
import { TILINGS } from "../src/engine/tuning.ts";
import { requestGpu } from "../src/engine/gpu/device.ts";
import { timePass } from "../src/engine/gpu/time_pass.ts";
import { LinearKernel } from "../src/engine/kernels/linear.ts";
import { timeLinear } from "../src/engine/kernels/time_linear.ts";
import type { Architecture } from "../src/requests/architecture/architecture.ts";
import { parseArchitecture } from "../src/requests/architecture/families.ts";
import { costs } from "./costs.ts";
import { copyRate, fmaF16Rate, fmaRate, type Rate } from "./peaks.ts";
import { recordDispatches } from "./record_dispatches.ts";

const { values: { model, T: lengths } } = parseArgs({
  options: {
    model: { type: "string" },
    T: { type: "string", multiple: true, default: ["14", "256"] },
  },
});
const print = (rate: Rate): void => console.log(JSON.stringify(rate));

const { device, info } = await requestGpu();
console.log(JSON.stringify({ adapter: info.description || info.vendor }));
print(await fmaRate(device));
const f16 = await fmaF16Rate();
if (f16) print(f16);
print(await copyRate(device));
for (const rows of [16, 64, 256]) {
  for (const tiling of TILINGS) {
    const shape = { inputs: 768, outputs: 3072, rows };
    const kernel = await LinearKernel.create(device, tiling).catch(() => undefined);
    if (!kernel) continue; // it needs subgroups
    const ms = await timeLinear(device, kernel, shape);
    const flops = 2 * shape.inputs * shape.outputs * rows;
    print({ rate: tiling.kernel.name, T: rows, ms, gflops: flops / ms / 1e6 });
  }
}
device.destroy();
const architecture = parseArchitecture(await Deno.readTextFile(`${model}/config.json`));
for (const T of lengths) await kernelRates(architecture, Number(T));
Deno.exit(0);

/** Every kernel of a forward pass and its reduction, each measured by itself with the operands that it has there. */
async function kernelRates(architecture: Architecture, T: number): Promise<void> {
  const engine = await createEngine({ directory: model!, cacheBytes: 2 ** 28 });
  const ids = Array.from({ length: T }, (_, i) => 7919 * (i + 1) % architecture.vocabulary);
  const options = { byLayer: true, aggregation: "ROLLOUT", bos: "DROP" } as const;
  const recorded = await recordDispatches(async () => void await engine.flow(ids, options));
  for (const [label, { device, dispatches }] of recorded) {
    const ms = await timePass(device, (pass) => dispatches.forEach((replay) => replay(pass)));
    const { flops, bytes } = costs(label, architecture, T);
    const gflops = flops / ms / 1e6;
    print({ rate: label, T, ms, dispatches: dispatches.length, gflops, bytes });
  }
  engine.destroy();
}
