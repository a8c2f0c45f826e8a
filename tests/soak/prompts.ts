import { encode } from "../../src/tokens/vocabulary.ts";
import type { Random } from "../support/random.ts";

/** Words that are a token each, with the space in front of them. */
const WORDS = " the of and to in is was for that on with as it by at from his an are were which"
  .split(/(?= )/);

/** A prompt of so many tokens, BOS among them; it begins with its number, so that no two begin alike. */
function promptOf(tokens: number, number: number, random: Random): string {
  let text = tokens > 2 ? String.fromCodePoint(65 + number % 26) : "";
  while (encode(text).length < tokens - 1) text += WORDS[random.below(WORDS.length)]!;
  return text === "" ? "A" : text;
}

/** Prompts of 2 to `longest` tokens, short ones more often than long ones, as people ask. */
export function promptsFor(count: number, longest: number, random: Random): string[] {
  return Array.from({ length: count }, (_, n) => {
    // The first two are the shortest and the longest.
    const share = n === 0 ? 0 : n === 1 ? 1 : random.uniform();
    return promptOf(Math.round(2 * (longest / 2) ** share), n, random);
  });
}

/** A GraphQL request for a prompt's matrix. */
export function bodyFor(prompt: string): string {
  return JSON.stringify({
    query: "query Soak($prompt: String!) { infoFlow(prompt: $prompt) { id matrix { arrow } } }",
    variables: { prompt },
  });
}

/** What an answer says: its bytes, or the code of its refusal; undefined if it is neither. */
export function readAnswer(body: string): { arrow: string } | { code: string } | undefined {
  try {
    const { data, errors } = JSON.parse(body);
    const code = errors?.[0]?.extensions?.code;
    if (typeof code === "string") return { code };
    return typeof data?.infoFlow?.matrix?.arrow === "string"
      ? { arrow: data.infoFlow.matrix.arrow }
      : undefined;
  } catch {
    return undefined;
  }
}
