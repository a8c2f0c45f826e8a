import type { PromptActivations, Slab } from "../activations/prompt_activations.ts";
import type { Chosen } from "../../requests/choice.ts";

/** The chosen heads whose patterns lie in one slab of an activations. */
export interface SlabShare {
  readonly slab: Slab;
  /** How many of the chosen layers lie in slabs before it. */
  readonly before: number;
  /** How many lie in it. */
  readonly layers: number;
  /** Where the triangle of each chosen head of each of these layers begins in the slab, in vec4s. */
  readonly triangles: readonly number[];
}

/** Finds the chosen heads in an activations's slabs. `heads` is how many a layer has. */
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

/** Numbers that tell kernels what is chosen, for several requests: where triangles begin, which rows are made. */
export class IndexList {
  readonly buffer: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #words: Uint32Array<ArrayBuffer>;
  #length = 0;

  /** @param most How many there is room for. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#words = new Uint32Array(most);
    this.buffer = device.createBuffer({
      label: "indices of what is chosen",
      size: this.#words.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
  }

  /** Forgets all. */
  clear(): void {
    this.#length = 0;
  }

  /**
   * Adds some; the device has them after {@linkcode flush}.
   *
   * @returns Where the first of them is.
   */
  add(indices: readonly number[]): number {
    const at = this.#length;
    this.#words.set(indices, at);
    this.#length += indices.length;
    return at;
  }

  /** Tells the device of them. */
  flush(): void {
    if (this.#length === 0) return;
    this.#device.queue.writeBuffer(this.buffer, 0, this.#words.buffer, 0, 4 * this.#length);
  }
}
