import { StructUniform } from "../gpu/struct_uniform.ts";

/** The members of `struct Prompt` in the shaders. */
export interface PromptFields {
  /** T */
  readonly tokens: number;
  /** The first position whose row is computed in this pass. */
  readonly first: number;
  /** The row of position 0 in the texture of queries, keys and values. */
  readonly slot: number;
  /** The row of position `first` in the other activations. */
  readonly row: number;
  /** Vec4s from one packed triangle to the next. */
  readonly stride: number;
  /** The first position that a flow keeps: 1 leaves BOS out. */
  readonly kept: number;
  /** How layers are combined, as `shaders/flow.wgsl` numbers it. */
  readonly aggregate: number;
  /** The index of its flow in the buffer of results. */
  readonly result: number;
  /** The number of layers of a flow. */
  readonly layers: number;
  /** The number of chosen heads. */
  readonly heads: number;
  /** The index of this prompt's first triangle offset in the list of indices. */
  readonly triangles: number;
  /** The number of neighbouring positions that share a cell. */
  readonly span: number;
  /** The index of BOS's shares in the buffer of results. */
  readonly dropped: number;
  /** The columns of a matrix of cells. */
  readonly cells: number;
  /** The index of the first chosen row in the list of indices, plus 1; 0 if all rows are chosen. */
  readonly targets: number;
}

/** The members of `struct Prompt` in the shaders' order; a shader declares as many of the first as it needs. */
export const PROMPT_MEMBERS = [
  "tokens",
  "first",
  "slot",
  "row",
  "stride",
  "kept",
  "aggregate",
  "result",
  "layers",
  "heads",
  "triangles",
  "span",
  "dropped",
  "cells",
  "targets",
] as const satisfies (keyof PromptFields)[];

/** The group of the prompt. */
export const PROMPT = { prompt: "uniformAt" } as const;

/** The prompts of one pass in a uniform buffer, one for each dispatch. */
export class PromptUniform extends StructUniform<keyof PromptFields> {
  /** @param most How many prompts a pass may have. */
  constructor(device: GPUDevice, most: number) {
    super(device, { label: "prompts", members: PROMPT_MEMBERS, most });
  }
}
