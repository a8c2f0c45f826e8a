import { type Gpu, requestGpu } from "../../src/gpu/device.ts";

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

/** Puts numbers on the device, in rows padded from `columns` to `stride`. */
export function upload(
  { device }: Gpu,
  numbers: ArrayLike<number>,
  { columns, stride = columns, rows = numbers.length / columns }: {
    columns: number;
    stride?: number;
    rows?: number;
  },
): GPUBuffer {
  const padded = new Float32Array(rows * stride);
  for (let i = 0; i < numbers.length; i++) {
    padded[Math.floor(i / columns) * stride + i % columns] = numbers[i]!;
  }
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ label: "test input", size: padded.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

/** Makes a buffer for so many numbers, each NaN, so that what a kernel fails to write shows. */
export function output(gpu: Gpu, numbers: number): GPUBuffer {
  return upload(gpu, new Float32Array(numbers).fill(NaN), { columns: numbers });
}

/** Makes the uniform that tells kernels of a prompt. */
export function promptUniform({ device }: Gpu, fields: readonly number[]): GPUBuffer {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: "prompt", size: 16, usage });
  device.queue.writeBuffer(buffer, 0, new Uint32Array(fields));
  return buffer;
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

/** The first `columns` of each row of `stride` numbers, of the first `rows` rows. */
export function unpad(
  numbers: Float32Array,
  { rows, columns, stride }: { rows: number; columns: number; stride: number },
): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => numbers[Math.floor(i / columns) * stride + i % columns]!,
  );
}
