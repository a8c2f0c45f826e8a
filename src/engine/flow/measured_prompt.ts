import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { BoundGroup } from "../gpu/kernel.ts";

/** A prompt before it is measured. */
export interface PreparedPrompt {
  readonly activations: PromptActivations;
  readonly tokens: number;
}

/** A prompt that is measured. Its values are in the forward pass's `qkv`, from row 0 on. */
export interface MeasuredPrompt extends PreparedPrompt {
  /** Its `struct Prompt` for kernels. */
  readonly prompt: BoundGroup;
}
