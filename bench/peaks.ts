import { defineKernel } from "../src/engine/gpu/define_kernel.ts";
import { Readback } from "../src/engine/gpu/readback.ts";
import { timePass } from "../src/engine/gpu/time_pass.ts";
import fma from "./fma.wgsl" with { type: "text" };
import fmaF16 from "./fma_f16.wgsl" with { type: "text" };

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

/** Enough workgroups of 64 to keep a large GPU busy. */
const WORKGROUPS = 4096;
const INVOCATIONS = 64;
const LOOPS = 64;
/** A dispatch should take this many ms at least, so that its start and end don't matter. */
const LONG_ENOUGH = 2;
const COPIED = 256 * 2 ** 20;
const READS = 50;

/** Fused multiply-adds in registers, and nothing else. */
export function fmaRate(device: GPUDevice): Promise<Rate> {
  return multiply(device, { rate: "fma", code: fma });
}

/** The same in float16; nothing where the adapter has no `shader-f16`. */
export async function fmaF16Rate(): Promise<Rate | undefined> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter?.features.has("shader-f16")) return undefined;
  const device = await adapter.requestDevice({ requiredFeatures: ["shader-f16"] });
  try {
    return await multiply(device, { rate: "fma f16", code: fmaF16 });
  } finally {
    device.destroy();
  }
}

async function multiply(
  device: GPUDevice,
  { rate, code }: { readonly rate: string; readonly code: string },
): Promise<Rate> {
  const definition = defineKernel({
    name: rate,
    code,
    constants: ({ loops }: { readonly loops: number }) => ({ LOOPS: loops }),
    groups: [{ out: "readWrite" }],
    workgroups: () => [WORKGROUPS],
  });
  const size = 4 * INVOCATIONS * WORKGROUPS;
  const out = device.createBuffer({ label: rate, size, usage: GPUBufferUsage.STORAGE });
  const timed = async (loops: number): Promise<number> => {
    const kernel = await definition.create(device, { loops });
    const group = kernel.bind({ out });
    return await timePass(device, (pass) => kernel.dispatch(pass, [[group]], {}));
  };
  const short = await timed(LOOPS);
  const loops = LOOPS * Math.ceil(LONG_ENOUGH / short);
  const ms = loops === LOOPS ? short : await timed(loops);
  out.destroy();
  return { rate, ms, gflops: 2 * 16 * 4 * loops * INVOCATIONS * WORKGROUPS / ms / 1e6 };
}

/** A copy of a buffer, both ways counted. */
export async function copyRate(device: GPUDevice): Promise<Rate> {
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const size = Math.min(COPIED, device.limits.maxBufferSize);
  const [source, target] = [1, 2].map(() => device.createBuffer({ size, usage }));
  let ms = Infinity;
  for (let round = 0; round < 5; round++) {
    const encoder = device.createCommandEncoder();
    for (let i = 0; i < 8; i++) encoder.copyBufferToBuffer(source!, 0, target!, 0, size);
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    // In Deno the call returns when the device is done; its promise resolves 10 ms later.
    const done = device.queue.onSubmittedWorkDone();
    ms = Math.min(ms, (performance.now() - began) / 8);
    await done;
  }
  source!.destroy();
  target!.destroy();
  return { rate: "copy", ms, bytes: 2 * size };
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
    size: 4 * INVOCATIONS,
    usage: GPUBufferUsage.STORAGE,
  });
  const group = kernel.bind({ out });
  const ms = await timePass(device, (pass) => {
    for (let i = 0; i < 100; i++) kernel.dispatch(pass, [[group]], {});
  });
  return { rate: "dispatch", ms: ms / 100 };
}
