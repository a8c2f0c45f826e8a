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
  readonly places: readonly number[];
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
    const places = inSlab.flatMap((layer) =>
      chosen.heads.map((head) => (layer * heads + head) * stride)
    );
    if (inSlab.length > 0) shares.push({ slab, before, layers: inSlab.length, places });
    before += inSlab.length;
  }
  return shares;
}

/** The places of several requests, on the device. */
export class Places {
  readonly buffer: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #words: Uint32Array<ArrayBuffer>;
  #length = 0;

  /** @param most How many places there is room for. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#words = new Uint32Array(most);
    this.buffer = device.createBuffer({
      label: "places of chosen heads",
      size: this.#words.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
  }

  /** Forgets all places. */
  clear(): void {
    this.#length = 0;
  }

  /**
   * Adds places; the device has them after {@linkcode flush}.
   *
   * @returns Where the first of them is.
   */
  add(places: readonly number[]): number {
    const at = this.#length;
    this.#words.set(places, at);
    this.#length += places.length;
    return at;
  }

  /** Tells the device of them. */
  flush(): void {
    if (this.#length === 0) return;
    this.#device.queue.writeBuffer(this.buffer, 0, this.#words.buffer, 0, 4 * this.#length);
  }
}
