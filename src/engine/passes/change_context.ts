import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Owned } from "../gpu/owned.ts";
import type { EditPatterns } from "../kernels/edit_patterns.ts";
import type { EditRows } from "../kernels/edit_rows.ts";
import type { MeanRows } from "../kernels/mean_rows.ts";

/** The kernels of interventions. */
export interface ChangeKernels {
  readonly editRows: EditRows;
  readonly editPatterns: EditPatterns;
  readonly meanRows: MeanRows;
}

/** Dependencies of edits. */
export interface ChangeContext {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly kernels: ChangeKernels;
  /** Scratch for the values before an edit, with room for all positions of a prompt. */
  readonly before: GPUTexture;
  /** The prompt that is changed. */
  readonly ids: readonly number[];
  /** The activations of a plain run. */
  readonly plainOf: (ids: readonly number[]) => PromptActivations;
  /** Owns the memory of the edits until they have run. */
  readonly owned: Owned;
}
