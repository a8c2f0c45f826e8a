import { allocate, largestStorage } from "../gpu/allocate.ts";
import type { Streams } from "./residual_stream.ts";
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
  /** How many rows there are; those of prompts that were typed on since are missing. */
  readonly tokens: number;
}

/** What is kept of a prompt on the device. */
export interface PatternEntry {
  /** The prompt's tokens, BOS first. A prompt that is typed on grows within the entry's capacity. */
  ids: readonly number[];
  /** How many tokens there is room for. */
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
  /** Which heads were switched off, such as `3.1,4.0`; empty for the model as it is. */
  variant: string;
  /** The residual stream, once a question needed it. */
  streams: Streams | undefined;
  /** By method, once it was asked for. */
  readonly measured: Map<string, Measured>;
  /** All bytes on the device. */
  readonly bytes: number;
  /** Gives back what was kept beside the patterns: the entry is for another prompt now. */
  forget(): void;
  /** Gives the memory back. */
  destroy(): void;
}

/** Entries come in sizes of so many tokens, so that a prompt can be typed on in place. */
const STEP = 16;
/** Rows of a texture are copied to buffers in rows of multiples of it. */
const COPY_ALIGNMENT = 256;

/** The room that an entry of so many tokens is made with. */
export function capacityFor(tokens: number): number {
  return Math.ceil(tokens / STEP) * STEP;
}

/** Bytes of one position's keys and values, as an entry keeps them. */
function keyValueBytes({ channels }: Architecture): number {
  return Math.ceil(2 * channels * 4 / COPY_ALIGNMENT) * COPY_ALIGNMENT;
}

/** How many bytes an entry of such a capacity takes. */
export function entryBytes(architecture: Architecture, capacity: number): number {
  const { layers, heads } = architecture;
  const patterns = (heads + 1) * triangleStride(capacity) * VEC4;
  return layers * (patterns + capacity * keyValueBytes(architecture));
}

/**
 * Makes room for a prompt.
 *
 * @throws {AllocationError} If the device has no room, or can't bind one layer of the patterns.
 */
export async function allocateEntry(
  device: GPUDevice,
  architecture: Architecture,
  { model, capacity }: { readonly model: string; readonly capacity: number },
): Promise<PatternEntry> {
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
  const own = entryBytes(architecture, capacity);
  try {
    const slabs: Slab[] = [];
    for (let firstLayer = 0; firstLayer < layers; firstLayer += layersPerSlab) {
      const count = Math.min(layersPerSlab, layers - firstLayer);
      const label = `patterns of layers ${firstLayer} to ${firstLayer + count - 1}`;
      const buffer = await make(label, count * layerBytes, GPUBufferUsage.STORAGE);
      slabs.push({ buffer, firstLayer, layers: count });
    }
    const bytes = layers * stride * VEC4;
    const entry: PatternEntry = {
      ids: [],
      capacity,
      stride,
      layerBytes,
      slabs,
      mean: await make("mean over heads", bytes, GPUBufferUsage.STORAGE),
      keysValues: await make("keys and values", layers * capacity * rowBytes, 0),
      rowBytes,
      model,
      variant: "",
      streams: undefined,
      measured: new Map(),
      get bytes(): number {
        const measured = this.measured.values();
        return measured.reduce(
          (sum, { matrix }) => sum + matrix.size,
          own + (this.streams?.bytes ?? 0),
        );
      },
      forget(): void {
        this.streams?.texture.destroy();
        this.streams = undefined;
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

/**
 * Records the copy of the first `rows` rows of all patterns, and of their means, from one entry to another.
 *
 * @param shape H, and how many of the first layers are copied.
 */
export function copyRows(
  encoder: GPUCommandEncoder,
  { source, target, rows }: { source: PatternEntry; target: PatternEntry; rows: number },
  { layers, heads }: { layers: number; heads: number },
): void {
  const bytes = rowStart(rows) * VEC4;
  for (let layer = 0; layer < layers; layer++) {
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

/** Records the copy of the keys and values of the first layers, `rows` positions of each. */
export function copyKeysValues(
  encoder: GPUCommandEncoder,
  { source, target, rows }: { source: PatternEntry; target: PatternEntry; rows: number },
  layers: number,
): void {
  for (let layer = 0; layer < layers; layer++) {
    encoder.copyBufferToBuffer(
      source.keysValues,
      layer * source.capacity * source.rowBytes,
      target.keysValues,
      layer * target.capacity * target.rowBytes,
      rows * source.rowBytes,
    );
  }
}

/** Where the patterns of a layer are. */
export function patternsOf(
  entry: PatternEntry,
  layer: number,
): { readonly buffer: GPUBuffer; readonly offset: number } {
  const { buffer, firstLayer } = entry.slabs.findLast((slab) => slab.firstLayer <= layer)!;
  return { buffer, offset: (layer - firstLayer) * entry.layerBytes };
}
