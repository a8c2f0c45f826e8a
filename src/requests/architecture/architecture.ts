/** The activation functions of MLPs that kernels have. */
export type Activation = "gelu_new" | "gelu" | "relu" | "silu" | "tanh";

/** The sizes of a model and the options that change what it computes. */
export interface Architecture {
  /** L */
  readonly layers: number;
  /** H */
  readonly heads: number;
  /** C, the width of the residual stream. */
  readonly channels: number;
  /** D = C / H */
  readonly headSize: number;
  /** The width of the MLP's hidden layer. */
  readonly inner: number;
  /** The most tokens of a prompt, BOS among them. */
  readonly context: number;
  /** V */
  readonly vocabulary: number;
  /** The epsilon of layer norms. */
  readonly epsilon: number;
  readonly activation: Activation;
  /** Whether the unembedding is the embedding; otherwise it is a matrix of its own, `lm_head`. */
  readonly isTied: boolean;
  /** The scale of each layer's scores, before the softmax. */
  readonly scales: readonly number[];
}
