import { allocate, largestStorage } from "../gpu/allocate.ts";
import { keptFeatureBytes, type KeptFeatures } from "./kept_features.ts";
import type { KeptSite } from "./kept_sites.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import { rowStart, triangleStride, VEC4 } from "./packed_triangles.ts";

/** The patterns of some consecutive layers, in one buffer. */
export interface Slab {
  readonly buffer: GPUBuffer;
  readonly firstLayer: number;
  readonly layers: number;
}

/** What a method measured for a prompt. */
export interface Measured {
  /** (L, T, T), packed like the mean: rows that sum to 1. */
  readonly matrix: GPUBuffer;
  /** The number of rows; later positions of a prompt that was extended since are missing. */
  readonly tokens: number;
}

/** A prompt's activations on the device. */
export interface PromptActivations {
  /** The prompt's tokens, BOS first. A longer prompt that begins with it can grow within the entry's capacity. */
  ids: readonly number[];
  /**
   * The number of layers, from the first, whose patterns, keys and values are there. If these are not all, the stream
   * after them is kept, so that a pass can go on from it.
   */
  layersMade: number;
  /** The number of tokens that there is room for. */
  readonly capacity: number;
  /** From one head's packed triangle to the next, in vec4s. */
  readonly stride: number;
  /** Bytes of one layer's patterns (H, T, T), packed. */
  readonly layerBytes: number;
  /** (L, H, T, T), packed, in as few buffers as the device can bind whole. */
  readonly slabs: readonly Slab[];
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** (L, capacity, 2C): keys and values, for prompts that begin with this one. */
  readonly keysValues: GPUBuffer;
  /** Bytes of a row of keys and values. */
  readonly rowBytes: number;
  /** The fingerprint of the model that it is of. */
  readonly model: string;
  /** The key of the run's interventions; empty for a plain run. */
  variant: string;
  /** What is kept at sites beside the patterns, by the site's key. */
  readonly sites: Map<string, KeptSite>;
  /** By autoencoder, once it was used. */
  readonly features: Map<string, KeptFeatures>;
  /** By method, once it was used. */
  readonly measured: Map<string, Measured>;
  /** All bytes on the device. */
  readonly bytes: number;
  /** Frees everything but patterns, keys and values, whose memory another prompt takes over. */
  forget(): void;
  /** Gives the memory back. */
  destroy(): void;
}

/** Capacities are multiples of this number of tokens, so that a prompt can be extended in place. */
const STEP = 16;
/** The alignment of a texture's rows when they are copied to a buffer. */
const COPY_ALIGNMENT = 256;

/** The capacity of the activations of a prompt of `tokens` tokens. */
export function capacityFor(tokens: number): number {
  return Math.ceil(tokens / STEP) * STEP;
}

/** Bytes of one position's keys and values, as an entry keeps them. */
function keyValueBytes({ channels }: Architecture): number {
  return Math.ceil(2 * channels * 4 / COPY_ALIGNMENT) * COPY_ALIGNMENT;
}

/** The bytes of patterns, keys and values with room for `capacity` tokens. */
export function activationBytes(architecture: Architecture, capacity: number): number {
  const { layers, heads } = architecture;
  const patterns = (heads + 1) * triangleStride(capacity) * VEC4;
  return layers * (patterns + capacity * keyValueBytes(architecture));
}

/**
 * Makes room for a prompt.
 *
 * @throws {AllocationError} If the device has no room, or can't bind one layer of the patterns.
 */
export async function allocateActivations(
  device: GPUDevice,
  architecture: Architecture,
  { model, capacity }: { readonly model: string; readonly capacity: number },
): Promise<PromptActivations> {
  const { layers, heads } = architecture;
  const stride = triangleStride(capacity);
  const layerBytes = heads * stride * VEC4;
  const rowBytes = keyValueBytes(architecture);
  const fitting = Math.max(1, Math.floor(largestStorage(device) / layerBytes));
  const layersPerSlab = Math.min(layers, fitting);

  const buffers: GPUBuffer[] = [];
  const make = async (label: string, bytes: number, kind: number): Promise<GPUBuffer> => {
    const usage = kind | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = await allocate(device, { label, bytes, usage });
    buffers.push(buffer);
    return buffer;
  };
  const destroy = (): void => buffers.forEach((buffer) => buffer.destroy());
  const own = activationBytes(architecture, capacity);
  try {
    const slabs: Slab[] = [];
    for (let firstLayer = 0; firstLayer < layers; firstLayer += layersPerSlab) {
      const count = Math.min(layersPerSlab, layers - firstLayer);
      const label = `patterns of layers ${firstLayer} to ${firstLayer + count - 1}`;
      const buffer = await make(label, count * layerBytes, GPUBufferUsage.STORAGE);
      slabs.push({ buffer, firstLayer, layers: count });
    }
    const bytes = layers * stride * VEC4;
    const entry: PromptActivations = {
      ids: [],
      layersMade: 0,
      capacity,
      stride,
      layerBytes,
      slabs,
      mean: await make("mean over heads", bytes, GPUBufferUsage.STORAGE),
      keysValues: await make("keys and values", layers * capacity * rowBytes, 0),
      rowBytes,
      model,
      variant: "",
      sites: new Map(),
      features: new Map(),
      measured: new Map(),
      get bytes(): number {
        const measured = this.measured.values().reduce((sum, { matrix }) => sum + matrix.size, 0);
        const features = this.features.values().reduce((sum, it) => sum + keptFeatureBytes(it), 0);
        return own + measured + features +
          this.sites.values().reduce((sum, { bytes }) => sum + bytes, 0);
      },
      forget(): void {
        this.layersMade = 0;
        for (const { memory } of this.sites.values()) memory.destroy();
        this.sites.clear();
        for (const { buffer, scales } of this.features.values()) {
          buffer.destroy();
          scales.destroy();
        }
        this.features.clear();
        for (const { matrix } of this.measured.values()) matrix.destroy();
        this.measured.clear();
      },
      destroy(): void {
        this.forget();
        destroy();
      },
    };
    return entry;
  } catch (error) {
    destroy();
    throw error;
  }
}

/** A copy from one prompt's activations to another's: the first `rows` positions of some layers. */
export interface Copied {
  readonly source: PromptActivations;
  readonly target: PromptActivations;
  readonly rows: number;
  /** The first of the layers, and the one after the last. */
  readonly layers: readonly [first: number, end: number];
}

/** Records the copy of patterns of `heads` heads, and of their means. */
export function copyPatterns(
  encoder: GPUCommandEncoder,
  { source, target, rows, layers: [first, end] }: Copied,
  heads: number,
): void {
  const bytes = rowStart(rows) * VEC4;
  if (bytes === 0) return;
  for (let layer = first; layer < end; layer++) {
    const [from, to] = [patternsOf(source, layer), patternsOf(target, layer)];
    for (let head = 0; head < heads; head++) {
      encoder.copyBufferToBuffer(
        from.buffer,
        from.offset + head * source.stride * VEC4,
        to.buffer,
        to.offset + head * target.stride * VEC4,
        bytes,
      );
    }
    const [fromMean, toMean] = [source, target].map(({ stride }) => layer * stride * VEC4);
    encoder.copyBufferToBuffer(source.mean, fromMean!, target.mean, toMean!, bytes);
  }
}

/** Records the copy of keys and values. */
export function copyKeysValues(
  encoder: GPUCommandEncoder,
  { source, target, rows, layers: [first, end] }: Copied,
): void {
  for (let layer = first; layer < end; layer++) {
    encoder.copyBufferToBuffer(
      source.keysValues,
      layer * source.capacity * source.rowBytes,
      target.keysValues,
      layer * target.capacity * target.rowBytes,
      rows * source.rowBytes,
    );
  }
}

/** The buffer and the offset of a layer's patterns. */
export function patternsOf(
  entry: PromptActivations,
  layer: number,
): { readonly buffer: GPUBuffer; readonly offset: number } {
  const { buffer, firstLayer } = entry.slabs.findLast((slab) => slab.firstLayer <= layer)!;
  return { buffer, offset: (layer - firstLayer) * entry.layerBytes };
}
