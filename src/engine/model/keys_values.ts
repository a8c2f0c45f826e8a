import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Segment } from "./pass.ts";

const NOTHING = { ids: [], layers: 0 };

/** Moves keys and values between prompts' activations and the texture that a pass computes in. */
export class KeysValues {
  readonly #architecture: Architecture;
  /** The tokens whose keys and values are in the texture, from row 0 on, and in how many layers, from the first. */
  #resident: { readonly ids: readonly number[]; readonly layers: number } = NOTHING;

  constructor(architecture: Architecture) {
    this.#architecture = architecture;
  }

  /** The texture was made anew, or is about to be written. */
  forget(): void {
    this.#resident = NOTHING;
  }

  /** Records the copy of a prompt's keys and values to the texture, from row 0 on, unless they are there. */
  bring(
    encoder: GPUCommandEncoder,
    texture: GPUTexture,
    { activations, ids }: {
      readonly activations: PromptActivations;
      readonly ids: readonly number[];
    },
  ): void {
    const isPlain = activations.variant === "";
    const { layersMade } = activations;
    const { ids: there, layers: layersThere } = this.#resident;
    if (isPlain && startsWith(there, ids) && layersThere >= layersMade) return;
    const { channels, layers } = this.#architecture;
    const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = activations;
    encoder.copyBufferToTexture(
      { buffer, bytesPerRow, rowsPerImage },
      { texture, origin: [channels / 4, 0] },
      [channels / 2, ids.length, layers],
    );
    this.#resident = isPlain ? { ids, layers: layersMade } : NOTHING;
  }

  /** Records the copy of the keys and values that a pass computed to the prompt's activations, for longer prompts. */
  leave(
    encoder: GPUCommandEncoder,
    texture: GPUTexture,
    { segments, firstLayer, layersMade }: {
      readonly segments: readonly Segment[];
      readonly firstLayer: number;
      readonly layersMade: number;
    },
  ): void {
    const { channels } = this.#architecture;
    if (firstLayer === layersMade) return;
    for (const { ids, first, slot, activations, base } of segments) {
      const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = activations;
      const missing = base === activations ? first : 0;
      const offset = (firstLayer * rowsPerImage + missing) * bytesPerRow;
      encoder.copyTextureToBuffer(
        { texture, origin: [channels / 4, slot + missing, firstLayer] },
        { buffer, offset, bytesPerRow, rowsPerImage },
        [channels / 2, ids.length - missing, layersMade - firstLayer],
      );
    }
    // Keys and values of a changed run can't be used by other runs, and below the first layer they are not the prompt's.
    const [segment] = segments;
    const isPlain = segments.length === 1 && segment!.activations.variant === "";
    const isOfUse = isPlain && firstLayer === 0;
    this.#resident = isOfUse ? { ids: segment!.ids, layers: layersMade } : NOTHING;
  }
}

/** Whether a prompt begins with another. */
function startsWith(ids: readonly number[], beginning: readonly number[]): boolean {
  return ids.length >= beginning.length && beginning.every((id, at) => id === ids[at]);
}
