import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { BoundGroup } from "../gpu/kernel.ts";

/** A prompt that is to be measured. */
export interface PreparedPrompt {
  readonly activations: PromptActivations;
  readonly tokens: number;
}

/** A prompt that is measured. Its values are in rows 0 and on of the forward pass's `qkv`. */
export interface MeasuredPrompt extends PreparedPrompt {
  /** Its `struct Prompt` for kernels. */
  readonly prompt: BoundGroup;
}
