import type { Activation, Architecture } from "./architecture.ts";
import type { Config } from "./config.ts";

/** A tensor of a checkpoint. */
export interface Parameter {
  /** Its name in Hugging Face's layout, without a prefix such as `transformer.`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The epilogue of a linear: its sums are stored, from the row that the pass names; put through an activation function;
 * or added to the residual stream.
 */
export type Epilogue = "store" | "add" | Activation;

/** A part of a layer: a layer norm, or a linear. */
export interface LayerPart {
  readonly name: "norm1" | "attentionIn" | "attentionOut" | "norm2" | "mlpIn" | "mlpOut";
  /** The epilogue of a linear; undefined for a layer norm. */
  readonly epilogue: Epilogue | undefined;
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** The tensors of a model, and what each is for. */
export interface Tensors {
  /** (V, C): a vector for each token. */
  readonly tokens: Parameter;
  /** (context, C): a vector for each position. */
  readonly positions: Parameter;
  /** (V, C), where it is not the embedding of tokens. */
  readonly unembedding: Parameter | undefined;
  /** The parts of each layer in the order of their use. */
  readonly layers: readonly (readonly LayerPart[])[];
  /** The layer norm before the unembedding, (C) each. */
  readonly finalNorm: { readonly weight: Parameter; readonly bias: Parameter };
}

/** A family of models: how its configs are read, and which tensors it has. */
export interface Family {
  /** `model_type` of its configs. */
  readonly modelType: string;
  /**
   * Reads a config.
   *
   * @throws {RangeError} If it describes a model that Infoflow can't run right; the text names the option.
   */
  architectureOf(config: Config): Architecture;
  /** The tensors of a model. */
  tensorsOf(architecture: Architecture): Tensors;
}

/** All tensors in the order in which they are read: embeddings, layers, the final norm. */
export function inOrder(tensors: Tensors): Parameter[] {
  return [
    ...hostTensors(tensors),
    ...tensors.layers.flat().flatMap(({ weight, bias }) => [weight, bias]),
    tensors.finalNorm.weight,
    tensors.finalNorm.bias,
  ];
}

/** The tensors that stay in host memory whole: embeddings, and the unembedding where it is another. */
export function hostTensors({ tokens, positions, unembedding }: Tensors): Parameter[] {
  return [tokens, positions, ...(unembedding ? [unembedding] : [])];
}

/** How many numbers a tensor has. */
export function sizeOf({ shape }: Parameter): number {
  return shape.reduce((product, size) => product * size, 1);
}
