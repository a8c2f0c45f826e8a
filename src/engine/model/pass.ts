import type { Site } from "../../requests/interventions/sites.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";

/** A prompt of a pass. */
export interface Segment {
  readonly ids: readonly number[];
  /** The activations that the pass writes. */
  readonly activations: PromptActivations;
  /** The first position to compute. */
  readonly first: number;
  /** The activations that hold earlier positions and layers; may be `activations` itself. */
  readonly base: PromptActivations | undefined;
  /** The row of position 0 in the textures of queries, keys and values. */
  readonly slot: number;
  /** The row of position `first` in the other activations. */
  readonly row: number;
  /** Its `struct Prompt` for kernels. */
  readonly prompt: BoundGroup;
}

/** The values of a segment at a site: its positions from `first` on are rows from `row` on. */
export interface SiteRows {
  readonly texture: GPUTexture;
  /** Its first texel: a column, a row and a layer of the texture. */
  readonly origin: readonly [x: number, y: number, z: number];
  /** C / 4 */
  readonly texels: number;
  readonly rows: number;
}

/** A change of a run at a site of one layer. */
export interface SiteEdit {
  readonly site: Site;
  readonly layer: number;
  /** Records the change of the values at `rows`, or for SCORES and PATTERN in the segment's activations. */
  encode(recorder: Recorder, segment: Segment, rows: SiteRows | undefined): void;
}

/**
 * A run of the model over some prompts. Several prompts are run whole; a single one may continue from cached
 * activations.
 */
export interface ForwardPass {
  readonly segments: readonly Segment[];
  /** The first layer to compute. The stream before it is kept in the segment's base, if it is not layer 0. */
  readonly firstLayer: number;
  /** Whether patterns, keys and values are computed; otherwise they are cached. */
  readonly makesPatterns: boolean;
  /**
   * The number of layers, from the first, that have patterns, keys and values when the pass has ended, for later runs to
   * find. If these are not all, the stream after them is among the kept sites. A pass with 0 ends at the last of these
   * sites and leaves nothing else.
   */
  readonly layersMade: number;
  /** The sites that the pass keeps, whose memory is allocated. */
  readonly keep: readonly SiteOfLayer[];
  /** The run's interventions, in the order in which they apply. */
  readonly edits: readonly SiteEdit[];
}

/** The rows that a pass computes. */
export function rowsOf({ segments }: Pick<ForwardPass, "segments">): number {
  return segments.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
}
