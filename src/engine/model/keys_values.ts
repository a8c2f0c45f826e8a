import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Segment } from "./pass.ts";

/** Moves keys and values between prompts' activations and the texture that a pass computes in. */
export class KeysValues {
  readonly #architecture: Architecture;
  /** The tokens whose keys and values are in the texture, from row 0 on. */
  #resident: readonly number[] = [];

  constructor(architecture: Architecture) {
    this.#architecture = architecture;
  }

  /** The texture was made anew, or is about to be written. */
  forget(): void {
    this.#resident = [];
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
    if (isPlain && startsWith(this.#resident, ids)) return;
    const { channels, layers } = this.#architecture;
    const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = activations;
    encoder.copyBufferToTexture(
      { buffer, bytesPerRow, rowsPerImage },
      { texture, origin: [channels / 4, 0] },
      [channels / 2, ids.length, layers],
    );
    this.#resident = isPlain ? ids : [];
  }

  /** Records the copy of the keys and values that a pass computed to the prompt's activations, for longer prompts. */
  leave(
    encoder: GPUCommandEncoder,
    texture: GPUTexture,
    { segments, firstLayer }: {
      readonly segments: readonly Segment[];
      readonly firstLayer: number;
    },
  ): void {
    const { channels, layers } = this.#architecture;
    if (firstLayer === layers) return;
    for (const { ids, first, slot, activations, base } of segments) {
      const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = activations;
      const missing = base === activations ? first : 0;
      const offset = (firstLayer * rowsPerImage + missing) * bytesPerRow;
      encoder.copyTextureToBuffer(
        { texture, origin: [channels / 4, slot + missing, firstLayer] },
        { buffer, offset, bytesPerRow, rowsPerImage },
        [channels / 2, ids.length - missing, layers - firstLayer],
      );
    }
    // Keys and values of a changed run can't be used by other runs.
    const [segment] = segments;
    const isPlain = segments.length === 1 && segment!.activations.variant === "";
    this.#resident = isPlain ? segment!.ids : [];
  }
}

/** Whether a prompt begins with another. */
function startsWith(ids: readonly number[], beginning: readonly number[]): boolean {
  return ids.length >= beginning.length && beginning.every((id, at) => id === ids[at]);
}
