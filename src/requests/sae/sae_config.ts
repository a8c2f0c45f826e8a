/** How an autoencoder decides which features are on. */
export type SaeArchitecture = "standard" | "gated" | "jumprelu" | "topk" | "transcoder";

/** The place in a layer whose activations an autoencoder takes apart, by the names of interventions' sites. */
export type SaeSite =
  | "RESID_PRE"
  | "RESID_MID"
  | "RESID_POST"
  | "ATTN_OUT"
  | "MLP_OUT"
  | "Z"
  | "LN2_NORMALIZED";

/** What is done to a position's activation before it is encoded, SAELens' `normalize_activations`. */
export type SaeNormalization =
  | "none"
  | "layer_norm"
  | "constant_norm_rescale"
  | "expected_average_only_in";

/** How the model that an autoencoder was trained on differs from the stored one, where the activation shows it. */
export interface SaeConversion {
  /** What writes into the residual stream has mean 0 over channels (`center_writing_weights`). */
  readonly isCentred: boolean;
  /** Values have no bias (`fold_value_biases`). */
  readonly isValueBiasFolded: boolean;
  /** Layer norms have neither gain nor bias (`fold_ln`), so that the values' bias has ln_1's in it. */
  readonly isNormFolded: boolean;
}

/** Quality figures of a release's autoencoder: means over its own texts. */
export interface SaeReport {
  /** How many features are on at a position. */
  readonly l0?: number | undefined;
  readonly explainedVariance?: number | undefined;
  readonly ceScore?: number | undefined;
}

/** A sparse autoencoder as its `cfg.json` describes it. */
export interface SaeConfig {
  readonly architecture: SaeArchitecture;
  /** TransformerLens' name of the activation, such as `blocks.8.hook_resid_pre`. */
  readonly hook: string;
  /** The activation that a transcoder writes, such as `blocks.8.hook_mlp_out`. */
  readonly hookOut: string | undefined;
  readonly site: SaeSite;
  readonly layer: number;
  /** n, the width of the activation. */
  readonly inputs: number;
  /** The width of the reconstruction: n, but for transcoders. */
  readonly outputs: number;
  /** F */
  readonly features: number;
  /** topk: how many features are on at most. */
  readonly k: number | undefined;
  readonly normalization: SaeNormalization;
  /** What activations are multiplied by for `expected_average_only_in`; 1 otherwise. */
  readonly factor: number;
  /** Whether b_dec is taken off the activation before it is encoded (`apply_b_dec_to_input`). */
  readonly subtractsDecoderBias: boolean;
  /** Whether features compete by activation times norm of the decoder row (`rescale_acts_by_decoder_norm`). */
  readonly rescalesByDecoderNorm: boolean;
  /** How many tokens, BOS among them, it saw at once in training, where that is known. */
  readonly context: number | undefined;
  /** The model that it was trained on, by its own name. */
  readonly model: string;
  readonly conversion: SaeConversion;
  readonly report: SaeReport;
}
