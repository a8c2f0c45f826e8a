import type { PromptActivations, Slab } from "../activations/prompt_activations.ts";
import type { Chosen } from "../../requests/choice.ts";

/** The chosen heads whose patterns are in one slab. */
export interface SlabShare {
  readonly slab: Slab;
  /** The number of chosen layers in earlier slabs. */
  readonly before: number;
  /** The number of chosen layers in it. */
  readonly layers: number;
  /** The offset of each chosen head's triangle in the slab, for each of these layers, in vec4s. */
  readonly triangles: readonly number[];
}

/** Finds the chosen heads in the slabs of activations. `heads` is the number of heads of a layer. */
export function shareOut(
  { slabs, stride }: Pick<PromptActivations, "slabs" | "stride">,
  chosen: Chosen,
  heads: number,
): SlabShare[] {
  const shares: SlabShare[] = [];
  let before = 0;
  for (const slab of slabs) {
    const inSlab = chosen.layers.map((layer) => layer - slab.firstLayer)
      .filter((layer) => layer >= 0 && layer < slab.layers);
    const triangles = inSlab.flatMap((layer) =>
      chosen.heads.map((head) => (layer * heads + head) * stride)
    );
    if (inSlab.length > 0) shares.push({ slab, before, layers: inSlab.length, triangles });
    before += inSlab.length;
  }
  return shares;
}

/** The list of offsets and rows that tells kernels what is chosen, for several requests. */
export class IndexList {
  readonly buffer: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #words: Uint32Array<ArrayBuffer>;
  #length = 0;

  /** @param most The most numbers. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#words = new Uint32Array(most);
    this.buffer = device.createBuffer({
      label: "indices of what is chosen",
      size: this.#words.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
  }

  /** Clears the list. */
  clear(): void {
    this.#length = 0;
  }

  /**
   * Adds numbers, which {@linkcode flush} writes to the device.
   *
   * @returns The index of the first.
   */
  add(indices: readonly number[]): number {
    const at = this.#length;
    this.#words.set(indices, at);
    this.#length += indices.length;
    return at;
  }

  /** Writes the numbers to the device. */
  flush(): void {
    if (this.#length === 0) return;
    this.#device.queue.writeBuffer(this.buffer, 0, this.#words.buffer, 0, 4 * this.#length);
  }
}
