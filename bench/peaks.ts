import { defineKernel } from "../src/engine/gpu/define_kernel.ts";
import { Readback } from "../src/engine/gpu/readback.ts";
import { timePass } from "../src/engine/gpu/time_pass.ts";
import fma from "./fma.wgsl" with { type: "text" };

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

/** Enough workgroups of eight to keep a large GPU busy. */
const WORKGROUPS = 16_384;
const LOOPS = 64;
const COPIED = 64 * 2 ** 20;
const READS = 50;

/** Fused multiply-adds in registers, and nothing else. */
export async function fmaRate(device: GPUDevice): Promise<Rate> {
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
export async function copyRate(device: GPUDevice): Promise<Rate> {
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

/** An empty submission, and the reading of four bytes after it. */
export async function readbackRate(device: GPUDevice): Promise<Rate> {
  const buffer = device.createBuffer({
    label: "four bytes",
    size: 4,
    usage: GPUBufferUsage.COPY_SRC,
  });
  const readback = new Readback(device);
  let ms = Infinity;
  for (let i = 0; i < READS; i++) {
    const result = [{ buffer, bytes: 4 }];
    const staging = await readback.acquire(result);
    const encoder = device.createCommandEncoder({ label: "readback" });
    readback.copy(encoder, result, staging);
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await readback.take(staging);
    ms = Math.min(ms, performance.now() - began);
  }
  await readback.destroy();
  buffer.destroy();
  return { rate: "readback", ms, bytes: 4 };
}

/** A dispatch that does next to nothing, among many in a submission. */
export async function dispatchRate(device: GPUDevice): Promise<Rate> {
  const kernel = await defineKernel({
    name: "fma",
    code: fma,
    constants: () => ({ LOOPS: 1 }),
    groups: [{ out: "readWrite" }],
    workgroups: () => [1],
  }).create(device);
  const out = device.createBuffer({
    label: "one workgroup's",
    size: 32,
    usage: GPUBufferUsage.STORAGE,
  });
  const group = kernel.bind({ out });
  const ms = await timePass(device, (pass) => {
    for (let i = 0; i < 100; i++) kernel.dispatch(pass, [[group]], {});
  });
  return { rate: "dispatch", ms: ms / 100 };
}
