import type { Head } from "../flow/definitions.ts";
import type { TopRow } from "./unembedding.ts";

/** What is the same in all answers. */
export interface Answered {
  /** Whether no forward pass was run for it. */
  readonly cacheHit: boolean;
}

/** Questions about a prompt that are answered by other things than matrices of flow; ids are its tokens, BOS first. */
export interface Questions {
  /** The k likeliest tokens to come next. */
  nextTokens: {
    argument: {
      readonly ids: readonly number[];
      readonly k: number;
      readonly ablate?: readonly Head[] | undefined;
    };
    result: Answered & { readonly top: TopRow };
  };
  /** The k likeliest tokens of each position of the embedding and of each layer's output: (L + 1) T rows. */
  logitLens: {
    argument: { readonly ids: readonly number[]; readonly k: number };
    result: Answered & { readonly tops: readonly TopRow[] };
  };
}

/** A question by its name. */
export type Question = {
  [Name in keyof Questions]: {
    readonly name: Name;
    readonly argument: Questions[Name]["argument"];
  };
}[keyof Questions];
