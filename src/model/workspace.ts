import { allocate } from "../gpu/allocate.ts";
import { rowStride, TILE_ROWS } from "../kernels/linear.ts";
import type { Architecture } from "./architecture.ts";

/** The activations of a forward pass, each with room for as many tokens as the model's context. */
export interface Workspace {
  /** (T, C): the residual stream. */
  readonly x: GPUBuffer;
  /** (T, C): what a layer norm makes of it. */
  readonly normed: GPUBuffer;
  /** (T, 3C): queries, keys and values. */
  readonly qkv: GPUBuffer;
  /** (T, C): the heads' mixed values, side by side. */
  readonly z: GPUBuffer;
  /** (T, inner): the hidden layer of the MLP. */
  readonly hidden: GPUBuffer;
}

/**
 * Makes the activations once, for prompts of every length.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function allocateWorkspace(
  device: GPUDevice,
  { channels, inner, context }: Architecture,
): Promise<Workspace> {
  const rows = Math.ceil(context / TILE_ROWS) * TILE_ROWS;
  const make = (label: string, columns: number): Promise<GPUBuffer> =>
    allocate(device, {
      label,
      bytes: rows * rowStride(columns) * Float32Array.BYTES_PER_ELEMENT,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
  return {
    x: await make("residual stream", channels),
    normed: await make("normed residual stream", channels),
    qkv: await make("queries, keys, values", 3 * channels),
    z: await make("mixed values", channels),
    hidden: await make("hidden layer", inner),
  };
}
