import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { FlowMatrix, Head } from "../../requests/flow_options.ts";

/** A matrix with the labels of its axes. */
export interface LabelledMatrix extends FlowMatrix {
  /** The numbers of the layers along that axis, where there is one. */
  readonly layers: readonly number[];
  /** The numbers of the heads, likewise. */
  readonly heads: readonly number[];
  /** The texts of the tokens along the last two axes, in order. */
  readonly tokens: readonly string[];
  /** How many neighbouring tokens share a cell. */
  readonly span: number;
  /** The rows that are there, in ascending order. */
  readonly targets: readonly number[];
}

/** What goes into the schema's metadata, under the key `infoflow`. */
export interface Metadata {
  /** Of the layouts: `LAYOUT_VERSION`. */
  readonly version: number;
  readonly id: string;
  readonly model: string;
  readonly fingerprint: string;
  /** The text; null if token ids were given. */
  readonly prompt: string | null;
  /** The labels of both axes, in order. */
  readonly tokens: readonly string[];
  /** The token ids of both axes, in order. */
  readonly ids: readonly number[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** How the layers were combined; undefined for matrices by head. */
  readonly aggregation?: string;
  readonly bos: string;
  /** The method, if it is not attention. */
  readonly method?: string;
  /** Heads that were ablated. */
  readonly ablate?: readonly Head[];
  /** The run's other interventions, in canonical form. */
  readonly interventions?: readonly Intervention[];
  /** Whether the numbers are the difference that this makes: signed, and no shares of rows. */
  readonly difference?: boolean;
  /** The layers that take part, where they were chosen or each head is by itself. */
  readonly layers?: readonly number[];
  /** The heads, likewise. */
  readonly heads?: readonly number[];
  /** The rows that are there, where they were chosen. */
  readonly targets?: readonly number[];
  /** How many neighbouring tokens share a cell, where each head is by itself. */
  readonly span?: number;
}
