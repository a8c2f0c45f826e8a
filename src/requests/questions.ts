import type { Changed } from "./interventions/changes_in.ts";

/** The members that all answers have. */
export interface Answered {
  /** Whether no forward pass was run for it. */
  readonly cacheHit: boolean;
}

/** The members that arguments of different questions share. */
export interface QuestionArgument extends Changed {
  /** The prompt's tokens, BOS first; of several prompts, one after the other. */
  readonly ids: readonly number[];
  /** The number of tokens of each of several prompts. */
  readonly lengths?: readonly number[] | undefined;
  /** The other prompt of a pair. */
  readonly corrupted?: readonly number[] | undefined;
  /** The positions that are asked about. */
  readonly positions?: readonly number[] | undefined;
  /** The name of an autoencoder. */
  readonly sae?: string | undefined;
}

/**
 * A question to the engine that is not for a matrix of flow. Each question's argument and result are declared where it
 * is answered, in `src/engine/analyses/`.
 */
export interface Question {
  readonly name: string;
  readonly argument: QuestionArgument;
}

/** The prompts that a question is about. */
export function promptsOf({ argument }: Question): readonly (readonly number[])[] {
  const { ids, lengths } = argument;
  return lengths ? splitPrompts({ ids, lengths }) : [ids];
}

/** Takes prompts apart whose ids stand one after the other. */
export function splitPrompts(
  { ids, lengths }: { readonly ids: readonly number[]; readonly lengths: readonly number[] },
): readonly (readonly number[])[] {
  let end = 0;
  return lengths.map((length) => ids.slice(end, end += length));
}
