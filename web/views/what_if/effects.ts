import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";

/** The prompt and the tokens of the logit difference. */
export interface EffectArguments {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly answer: string;
  readonly against: string;
}

/** A number for each head, layer by layer. */
export type HeadNumbers = readonly number[];

const EFFECTS =
  `query Effects($prompt: String, $model: String, $answer: TokenName!, $against: TokenName) {
  headEffects(prompt: $prompt, model: $model, answer: $answer, against: $against) { matrix { values } }
}`;
const PARTS =
  `query Parts($prompt: String, $model: String, $answer: TokenName, $against: TokenName) {
  attribution(prompt: $prompt, model: $model, token: $answer, against: $against, kind: HEAD) {
    parts { value }
  }
}`;

/** Asks how ablating each head alone changes the logit difference. */
export function effectsOf(args: EffectArguments): Question<HeadNumbers> {
  return {
    key: `effects ${JSON.stringify(args)}`,
    fetch: async (signal) => {
      type Data = { headEffects: { matrix: { values: number[] } } };
      return (await askGraphQL<Data>(EFFECTS, { ...args }, signal)).headEffects.matrix.values;
    },
  };
}

/** Asks what each head writes of the logit difference by itself, straight into the last stream. */
export function partsOf(args: EffectArguments): Question<HeadNumbers> {
  return {
    key: `parts ${JSON.stringify(args)}`,
    fetch: async (signal) => {
      type Data = { attribution: { parts: { value: number }[] } };
      const { attribution } = await askGraphQL<Data>(PARTS, { ...args }, signal);
      return attribution.parts.map(({ value }) => value);
    },
  };
}
