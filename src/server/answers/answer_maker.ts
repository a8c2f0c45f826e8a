import type { Answer } from "./answer.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { read, type Reading, type ReadingArguments } from "./reading.ts";

/**
 * Makes the answer to a question, from the arguments of its field in `schema.graphql`. Nothing is computed yet. A
 * constant of this type that is named as the field and exported by a file of this folder answers
 * `{ NAME(…) { … } }` and `GET /NAME.arrow?…`, with the same arguments and defaults; `deno task api` writes the list.
 */
export type AnswerMaker = (
  models: readonly LoadedModel[],
  args: Readonly<Record<string, unknown>>,
) => Answer;

/** Makes an answer about one prompt: reads the prompt from the arguments, and passes on the others. */
export function aboutPrompt<Options>(
  make: (reading: Reading, options: Options) => Answer,
): AnswerMaker {
  return (models, args) => {
    const { prompt, ids, specialTokens, model, ...options } = args as ReadingArguments;
    const reading = read(models, { prompt, ids, specialTokens, model, bos: options.bos });
    return make(reading, options as Options);
  };
}
