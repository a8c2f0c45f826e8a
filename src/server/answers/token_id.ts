import { InfoflowError } from "../../errors.ts";
import { tokenText } from "../../tokens/tokenize.ts";
import { checkInteger } from "./check_integer.ts";
import { type Reading, tokenizerOf } from "./reading.ts";

/** A token by its number in the vocabulary, or by its text. */
export type TokenName = number | string;

/**
 * The number of a token that is named.
 *
 * @param argument What the name was given for.
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such token, or the text is several.
 */
export function tokenId(reading: Reading, argument: string, name: TokenName): number {
  const { vocabulary } = reading.model.engine.info.architecture;
  const range = { min: 0, max: vocabulary - 1 };
  if (typeof name === "number") return checkInteger(argument, name, range);
  const tokenizer = tokenizerOf(reading);
  const special = tokenizer.special(name);
  if (special !== undefined) return special;
  const { ids } = tokenizer.encode(name);
  if (ids.length === 1) return checkInteger(argument, ids[0]!, range);
  const seen = ids.map((id) => JSON.stringify(tokenText(id, tokenizer))).slice(0, 8).join(", ");
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot take ${JSON.stringify(name)} for ${argument} as it is no token of the vocabulary but ${
      ids.length === 0 ? "nothing" : `${ids.length}: ${seen}`
    }; name one, a word with its space, or a number from 0 to ${range.max}`,
    { tokens: ids.length, ...range },
  );
}
