import { allocateTexture } from "../../src/engine/gpu/allocate.ts";
import { type Gpu, requestGpu } from "../../src/engine/gpu/device.ts";
import type { BoundGroup } from "../../src/engine/gpu/kernel.ts";
import { type PromptFields, PromptUniform } from "../../src/engine/kernels/prompt.ts";

/**
 * Runs a test on the device and gives it back. Where there is no adapter the test fails; it is never skipped.
 */
export async function withGpu(test: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await requestGpu();
  try {
    await test(gpu);
    gpu.check();
  } finally {
    gpu.device.destroy();
  }
}

/** Puts numbers into a buffer on the device. */
export function upload({ device }: Gpu, numbers: ArrayLike<number>): GPUBuffer {
  const data = Float32Array.from(numbers);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ label: "test input", size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** Makes a buffer for so many numbers, each NaN, so that what a kernel fails to write shows. */
export function output(gpu: Gpu, numbers: number): GPUBuffer {
  return upload(gpu, new Float32Array(numbers).fill(NaN));
}

/** Makes a uniform buffer. */
export function uniformOf(
  { device }: Gpu,
  words: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): GPUBuffer {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: "test uniform", size: 16, usage });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

/** Makes the uniform that tells kernels of a prompt; what is not given is 0. */
export function promptOf({ device }: Gpu, fields: Partial<PromptFields>): BoundGroup {
  const prompts = new PromptUniform(device, 1);
  prompts.write([fields]);
  return prompts.at(0);
}

/** The size of activations, and how many of them lie one behind the other. */
export interface ActivationsSize {
  readonly rows: number;
  readonly columns: number;
  readonly layers?: number;
}

/** Activations in a texture, four to a texel. */
export class Activations {
  readonly #gpu: Gpu;
  readonly #texture: GPUTexture;
  readonly #size: Required<ActivationsSize>;

  private constructor(gpu: Gpu, texture: GPUTexture, size: Required<ActivationsSize>) {
    this.#gpu = gpu;
    this.#texture = texture;
    this.#size = size;
  }

  /** Makes a texture of (layers, rows, columns); without numbers all are NaN, so that what a kernel fails to write shows. */
  static async create(
    gpu: Gpu,
    { rows, columns, layers = 1 }: ActivationsSize,
    numbers: ArrayLike<number> = new Float32Array(layers * rows * columns).fill(NaN),
  ): Promise<Activations> {
    const texture = await allocateTexture(gpu.device, {
      label: "test activations",
      width: columns / 4,
      height: rows,
      layers,
    });
    const data = Float32Array.from(numbers);
    const height = data.length / columns / layers;
    gpu.device.queue.writeTexture(
      { texture },
      data,
      { bytesPerRow: columns * 4, rowsPerImage: height },
      [columns / 4, height, layers],
    );
    return new Activations(gpu, texture, { rows, columns, layers });
  }

  /** What a kernel binds. */
  get view(): GPUTextureView {
    return this.#texture.createView({ dimension: "2d", arrayLayerCount: 1 });
  }

  /** The same of all layers. */
  get views(): GPUTextureView {
    return this.#texture.createView({ dimension: "2d-array" });
  }

  /** Reads them back. */
  async download(): Promise<Float32Array> {
    const { device } = this.#gpu;
    const { rows, columns, layers } = this.#size;
    const stride = Math.ceil(columns * 4 / 256) * 256;
    const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ label: "test copy", size: layers * rows * stride, usage });
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer(
      { texture: this.#texture },
      { buffer, bytesPerRow: stride, rowsPerImage: rows },
      [columns / 4, rows, layers],
    );
    device.queue.submit([encoder.finish()]);
    const padded = await download(this.#gpu, buffer);
    return Float32Array.from(
      { length: layers * rows * columns },
      (_, i) => padded[Math.floor(i / columns) * stride / 4 + i % columns]!,
    );
  }
}

/** Runs what is recorded and waits for it. */
export async function run(gpu: Gpu, record: (pass: GPUComputePassEncoder) => void): Promise<void> {
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  record(pass);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
}

/** Reads a whole buffer back. */
export async function download({ device }: Gpu, buffer: GPUBuffer): Promise<Float32Array> {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ label: "test output", size: buffer.size, usage });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const numbers = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return numbers;
}
