import { StructUniform } from "../gpu/struct_uniform.ts";

/** The members of `struct Prompt` in the shaders: what kernels know of a prompt. */
export interface PromptFields {
  /** T */
  readonly tokens: number;
  /** The first position whose row is computed in this pass; those before are there already. */
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
  /** Where its flow goes in the buffer of results, in numbers. */
  readonly result: number;
  /** How many layers a flow is made of. */
  readonly layers: number;
  /** How many heads are chosen. */
  readonly heads: number;
  /** Where this prompt's offsets of triangles begin in the list of indices. */
  readonly triangles: number;
  /** How many neighbouring positions share a cell. */
  readonly span: number;
  /** Where the shares that BOS had go in the buffer of results, in numbers. */
  readonly dropped: number;
  /** The columns of a matrix of cells. */
  readonly cells: number;
  /** One more than where the chosen rows begin in the list of indices; 0 where all are chosen. */
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

/** The group that tells a kernel of the prompt. */
export const PROMPT = { prompt: "uniformAt" } as const;

/** The prompts of one pass, in a uniform buffer of which a dispatch sees one. */
export class PromptUniform extends StructUniform<keyof PromptFields> {
  /** @param most How many prompts a pass may have. */
  constructor(device: GPUDevice, most: number) {
    super(device, { label: "prompts", members: PROMPT_MEMBERS, most });
  }
}
