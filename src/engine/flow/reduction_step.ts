import type { BoundGroup } from "../gpu/kernel.ts";
import type { PromptFields } from "../kernels/prompt.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { MatrixOptions } from "../../requests/flow_options.ts";

/** A matrix that is reduced from the activations of a prompt's first `tokens` tokens. */
export interface Reduction<Options extends MatrixOptions = MatrixOptions> {
  readonly activations: PromptActivations;
  readonly tokens: number;
  readonly options: Options;
  /** (L, T, T), packed: rows that sum to 1, as a method other than attention measured them. */
  readonly measured?: GPUBuffer | undefined;
}

/** The place of a result: a buffer, and the index of its first number. */
export interface ResultRange {
  readonly results: GPUBuffer;
  readonly result: number;
}

/** A dispatch of a reduction, or several. */
export interface ReductionStep {
  /** The fields that the kernels need beside the prompt's. */
  readonly fields: Partial<PromptFields>;
  /** Records it; `prompt` has the prompt and the fields. */
  encode(pass: GPUComputePassEncoder, prompt: BoundGroup): void;
}
