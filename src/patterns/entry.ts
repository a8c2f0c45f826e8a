import { allocate, largestStorage } from "../gpu/allocate.ts";
import type { Architecture } from "../model/architecture.ts";
import { triangleStride, VEC4 } from "./layout.ts";

/** The patterns of some consecutive layers, in one buffer. */
export interface Slab {
  readonly buffer: GPUBuffer;
  readonly firstLayer: number;
  readonly layers: number;
}

/** The attention patterns of one prompt, on the device. */
export interface PatternEntry {
  /** T */
  readonly tokens: number;
  /** From one head's packed triangle to the next, in vec4s. */
  readonly stride: number;
  /** Bytes of one layer's patterns (H, T, T), packed. */
  readonly layerBytes: number;
  /** (L, H, T, T), packed, in as few buffers as the device can bind whole. */
  readonly slabs: readonly Slab[];
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** All bytes on the device. */
  readonly bytes: number;
  /** Gives the memory back. */
  destroy(): void;
}

/** How many bytes the entry of a prompt of `tokens` tokens takes. */
export function entryBytes({ layers, heads }: Architecture, tokens: number): number {
  return layers * (heads + 1) * triangleStride(tokens) * VEC4;
}

/**
 * Makes room for a prompt's patterns.
 *
 * @throws {AllocationError} If the device has no room, or can't bind one layer of them.
 */
export async function allocateEntry(
  device: GPUDevice,
  architecture: Architecture,
  tokens: number,
): Promise<PatternEntry> {
  const { layers, heads } = architecture;
  const stride = triangleStride(tokens);
  const layerBytes = heads * stride * VEC4;
  const fitting = Math.max(1, Math.floor(largestStorage(device) / layerBytes));
  const layersPerSlab = Math.min(layers, fitting);

  const buffers: GPUBuffer[] = [];
  const make = async (label: string, bytes: number): Promise<GPUBuffer> => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    const buffer = await allocate(device, { label, bytes, usage });
    buffers.push(buffer);
    return buffer;
  };
  const destroy = (): void => buffers.forEach((buffer) => buffer.destroy());
  try {
    const slabs: Slab[] = [];
    for (let firstLayer = 0; firstLayer < layers; firstLayer += layersPerSlab) {
      const count = Math.min(layersPerSlab, layers - firstLayer);
      const label = `patterns of layers ${firstLayer} to ${firstLayer + count - 1}`;
      slabs.push({ buffer: await make(label, count * layerBytes), firstLayer, layers: count });
    }
    const mean = await make("mean over heads", layers * stride * VEC4);
    return {
      tokens,
      stride,
      layerBytes,
      slabs,
      mean,
      bytes: entryBytes(architecture, tokens),
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
