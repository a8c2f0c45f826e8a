import type { SaeConfig } from "./sae_config.ts";

/** An autoencoder that is served with a model. */
export interface SaeInfo {
  readonly name: string;
  readonly config: SaeConfig;
}

/** A part of a feature's pre-activation that comes from no other token's values. */
export interface FeaturePart {
  readonly kind: "EMBEDDING" | "POSITION" | "ATTENTION_BIAS" | "MLP" | "BIAS";
  /** Null for a part that belongs to no layer. */
  readonly layer: number | null;
  /** (R): at each target. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** The active features of a prompt: by position, then larger first, then lower feature. */
export interface FeaturesFound {
  readonly positions: Int32Array<ArrayBuffer>;
  readonly features: Int32Array<ArrayBuffer>;
  readonly activations: Float32Array<ArrayBuffer>;
  /** The norm of each feature's row of the decoder, in the same order. */
  readonly norms: Float32Array<ArrayBuffer>;
}

/** The sources of a feature's pre-activations; R targets. */
export interface FeatureFlowFound {
  /** (layers, R, T) from `firstLayer` on, or (H, R, T). */
  readonly matrix: Float32Array<ArrayBuffer>;
  readonly byHead: boolean;
  readonly firstLayer: number;
  /** How many layers or heads. */
  readonly count: number;
  /** Together with the matrix's rows they sum to `preActivations`. */
  readonly parts: readonly FeaturePart[];
  /** (R) */
  readonly preActivations: Float32Array<ArrayBuffer>;
  /** (R): 0 where the feature is off. */
  readonly activations: Float32Array<ArrayBuffer>;
}

/** The quality of an autoencoder on a prompt, BOS left out. */
export interface SaeFitFound {
  /** The mean number of active features at a position. */
  readonly l0: number;
  /** 1 - E|e|^2 / (E|x|^2 - |E x|^2) */
  readonly explainedVariance: number;
  /** Next-token loss in nats: of the model, with the reconstruction, and with zeros. */
  readonly ce: number;
  readonly ceWithSae: number;
  readonly ceWithZeros: number;
}

/** The tables of each feature, (F, k) each; -1 where there are fewer. */
export interface FeatureTablesFound {
  /** The tokens whose logits it raises most, and by how much beyond the mean over the vocabulary. */
  readonly raised: {
    readonly ids: Int32Array<ArrayBuffer>;
    readonly logits: Float32Array<ArrayBuffer>;
  };
  /** The tokens whose logits it lowers most. */
  readonly lowered: {
    readonly ids: Int32Array<ArrayBuffer>;
    readonly logits: Float32Array<ArrayBuffer>;
  };
  /** The features whose decoder rows are nearest. */
  readonly nearest: {
    readonly features: Int32Array<ArrayBuffer>;
    readonly cosines: Float32Array<ArrayBuffer>;
  };
}
