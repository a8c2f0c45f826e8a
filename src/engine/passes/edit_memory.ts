import { allocate, allocateTexture } from "../gpu/allocate.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { ChangeContext } from "./change_context.ts";

type Memory = Pick<ChangeContext, "device" | "owned">;

/** Puts numbers into a storage buffer that lives as long as the run. */
export async function listOf(
  { device, owned }: Memory,
  label: string,
  numbers: Uint32Array<ArrayBuffer>,
): Promise<GPUBuffer> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const bytes = Math.max(16, numbers.byteLength);
  const buffer = owned.add(await allocate(device, { label, bytes, usage }));
  device.queue.writeBuffer(buffer, 0, numbers);
  return buffer;
}

/** Makes a texture of one row of channels, with numbers in it if some are given. */
export async function rowOf(
  { device, owned, architecture: { channels } }: Memory & Pick<ChangeContext, "architecture">,
  label: string,
  numbers?: Float32Array<ArrayBuffer>,
): Promise<GPUTexture> {
  const size = { label, width: channels / 4, height: 1 };
  const texture = owned.add(await allocateTexture(device, size));
  if (numbers) {
    const layout = { bytesPerRow: 4 * channels };
    device.queue.writeTexture({ texture }, numbers, layout, [channels / 4, 1]);
  }
  return texture;
}

/** A uniform of whole numbers with a fraction after them, that lives as long as the run. */
export function editUniform(
  { device, owned }: Memory,
  numbers: readonly number[],
  factor: number,
): GPUBuffer {
  const words = new Uint32Array([...numbers, 0]);
  new Float32Array(words.buffer)[numbers.length] = factor;
  return owned.add(makeUniform(device, "edit", words));
}

/** 1 for each of some indices, 0 for the others of `count`; all where none are named. */
export function maskOf(
  indices: readonly number[] | undefined,
  count: number,
): Uint32Array<ArrayBuffer> {
  const mask = new Uint32Array(count);
  if (!indices) return mask.fill(1);
  for (const index of indices) mask[index] = 1;
  return mask;
}
