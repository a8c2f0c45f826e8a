import { InfoflowError } from "../../errors.ts";
import type { LoadedModel } from "./loaded_model.ts";

/** UTF-16 units of all different texts of a request: as many as the longest prompt of GPT-2 may have. */
const MOST_CHARACTERS = 131_072;
/** Texts that have fewer together are read at once: that takes 7 ms at most. */
const FEW_CHARACTERS = 2048;

/**
 * Tokenizes a request's long texts in the helper thread, so that reading them later takes no time.
 *
 * @param texts All texts of a request, also those that are no prompts.
 * @throws {InfoflowError} BAD_USER_INPUT if they are too long together, with `characters` and `limit`.
 */
export async function prepareTexts(
  models: readonly LoadedModel[],
  texts: Iterable<string>,
  specialTokens: boolean,
): Promise<void> {
  // A text that is too long for every model is refused without being read.
  const different = new Set(texts).values().filter((text) =>
    models.some(({ engine, longTexts }) =>
      longTexts?.mayFit(text, engine.info.architecture.context) ?? true
    )
  ).toArray();
  const characters = different.reduce((sum, text) => sum + text.length, 0);
  if (characters > MOST_CHARACTERS) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot read the request as its texts may have ${
        MOST_CHARACTERS.toLocaleString("en")
      } characters together: current value is ${characters.toLocaleString("en")}`,
      { characters, limit: MOST_CHARACTERS },
    );
  }
  if (characters < FEW_CHARACTERS) return;
  const ways = specialTokens ? [true, false] : [false];
  await Promise.all(
    models.flatMap(({ engine, longTexts }) =>
      different.flatMap((text) =>
        ways.map((specialTokens) => {
          const { context } = engine.info.architecture;
          return longTexts?.prepare(text, { context, specialTokens });
        })
      )
    ),
  );
}

/** All strings in a value of GraphQL or JSON. */
export function* textsIn(value: unknown): Generator<string> {
  const open = [value]; // no recursion: a client nests as deep as it likes
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "string") yield next;
    else if (typeof next === "object" && next !== null) {
      for (const member of Object.values(next)) open.push(member);
    }
  }
}
