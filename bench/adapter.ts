/**
 * Measures what the adapter can do and what the kernels make of it, and prints a line of JSON for each: see `bench.ts`.
 *
 *     deno run -A bench/adapter.ts --model DIR
 */
import { parseArgs } from "node:util";
import { createEngine } from "../src/thread/create_engine.ts";
import { TILINGS } from "../src/engine/tuning.ts";
import { requestGpu } from "../src/engine/gpu/device.ts";
import { defineKernel } from "../src/engine/gpu/define_kernel.ts";
import { timePass } from "../src/engine/gpu/time_pass.ts";
import { LinearKernel } from "../src/engine/kernels/linear.ts";
import { timeLinear } from "../src/engine/kernels/time_linear.ts";
import type { Architecture } from "../src/requests/architecture/architecture.ts";
import { parseArchitecture } from "../src/requests/architecture/families.ts";
import { costs } from "./costs.ts";
import fma from "./fma.wgsl" with { type: "text" };
import { recordDispatches } from "./record_dispatches.ts";

/** What the adapter, or a kernel on it, reaches. */
export interface Rate {
  readonly rate: string;
  /** T, or the rows of a product. */
  readonly T?: number;
  readonly ms: number;
  readonly dispatches?: number;
  readonly gflops?: number;
  readonly bytes?: number;
}

const WORKGROUPS = 512;
const LOOPS = 256;
const COPIED = 64 * 2 ** 20;

const { values: { model } } = parseArgs({ options: { model: { type: "string" } } });
const print = (rate: Rate): void => console.log(JSON.stringify(rate));

const { device, info } = await requestGpu();
console.log(JSON.stringify({ adapter: info.description || info.vendor }));
print(await fmaRate());
print(await copyRate());
for (const rows of [16, 64, 256]) {
  for (const tiling of TILINGS) {
    const shape = { inputs: 768, outputs: 3072, rows };
    const ms = await timeLinear(device, await LinearKernel.create(device, tiling), shape);
    const flops = 2 * shape.inputs * shape.outputs * rows;
    print({ rate: tiling.kernel.name, T: rows, ms, gflops: flops / ms / 1e6 });
  }
}
device.destroy();
const architecture = parseArchitecture(await Deno.readTextFile(`${model}/config.json`));
for (const T of [14, 256]) await kernelRates(architecture, T);
Deno.exit(0);

async function fmaRate(): Promise<Rate> {
  const kernel = await defineKernel({
    name: "fma",
    code: fma,
    constants: () => ({ LOOPS }),
    groups: [{ out: "readWrite" }],
    workgroups: () => [WORKGROUPS],
  }).create(device);
  const out = device.createBuffer({ size: 4 * 8 * WORKGROUPS, usage: GPUBufferUsage.STORAGE });
  const group = kernel.bind({ out });
  const ms = await timePass(device, (pass) => kernel.dispatch(pass, [[group]], {}));
  return { rate: "fma", ms, gflops: 2 * 16 * 4 * LOOPS * 8 * WORKGROUPS / ms / 1e6 };
}

/** A copy of a buffer, both ways counted. */
async function copyRate(): Promise<Rate> {
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [source, target] = [1, 2].map(() => device.createBuffer({ size: COPIED, usage }));
  let ms = Infinity;
  for (let round = 0; round < 5; round++) {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < 8; i++) encoder.copyBufferToBuffer(source!, 0, target!, 0, COPIED);
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    // In Deno the call returns when the device is done; its promise resolves 10 ms later.
    const done = device.queue.onSubmittedWorkDone();
    ms = Math.min(ms, (performance.now() - began) / 8);
    await done;
  }
  source!.destroy();
  target!.destroy();
  return { rate: "copy", ms, bytes: 2 * COPIED };
}

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
