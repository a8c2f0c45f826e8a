import { allocateTexture, TEXEL } from "../gpu/allocate.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";

/** The residual stream of a prompt, before and after each layer's attention and behind the last layer. */
export interface Streams {
  /** 2L + 1 times (capacity, C): as {@linkcode streamIndex} numbers them. */
  readonly texture: GPUTexture;
  /** How many positions are there. */
  rows: number;
  readonly bytes: number;
}

/** The places in the residual stream: before a layer, and in it, between attention and MLP. */
export type StreamPlace = "before" | "middle";

/** The layer of the texture that has a place; before layer L is behind the last. */
export function streamIndex(layer: number, place: StreamPlace): number {
  return 2 * layer + (place === "middle" ? 1 : 0);
}

/** How many bytes the streams of so many positions take. */
export function streamBytes({ layers, channels }: Architecture, capacity: number): number {
  return (2 * layers + 1) * capacity * channels / 4 * TEXEL;
}

/**
 * Makes room for the streams of so many positions.
 *
 * @throws {AllocationError} If the device has none.
 */
export async function allocateStreams(
  device: GPUDevice,
  architecture: Architecture,
  capacity: number,
): Promise<Streams> {
  const texture = await allocateTexture(device, {
    label: "residual streams",
    width: architecture.channels / 4,
    height: capacity,
    layers: 2 * architecture.layers + 1,
  });
  const { width, height, depthOrArrayLayers } = texture;
  return { texture, rows: 0, bytes: width * height * depthOrArrayLayers * TEXEL };
}

/** A kernel's view of one place in the streams. */
export function streamView({ texture }: Streams, index: number): GPUTextureView {
  return texture.createView({ dimension: "2d", baseArrayLayer: index, arrayLayerCount: 1 });
}

/** Records the copy of the first `rows` positions of the first `count` places, from one entry's streams to another's. */
export function copyStreams(
  encoder: GPUCommandEncoder,
  { source, target, rows, count }: {
    source: Streams;
    target: Streams;
    rows: number;
    count: number;
  },
  { channels }: Architecture,
): void {
  if (rows === 0 || count === 0) return;
  encoder.copyTextureToTexture(
    { texture: source.texture },
    { texture: target.texture },
    [channels / 4, rows, count],
  );
}
