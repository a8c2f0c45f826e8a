import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { InfoflowError } from "../../errors.ts";
import { tokenText } from "../../tokens/tokenize.ts";
import type { Tokenizer } from "../../tokens/tokenizer.ts";
import { checkInteger } from "./check_integer.ts";
import type { LogitPart, Questions } from "../../requests/questions.ts";
import type { LinkArguments } from "./answer.ts";
import { type Reading, tokenizerOf } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";

/** What may be asked of {@linkcode Attribution}. */
export interface AttributionOptions {
  /** A token, by its number or by its text; the likeliest where there is none. */
  readonly token?: number | string | null | undefined;
}

type Result = Questions["attribution"]["result"];

/** Which parts of the model made the logit of one token after a prompt. */
export class Attribution extends TableAnswer<Result> {
  override readonly field = "attribution";
  readonly #token: number | undefined;

  /**
   * @param options The token, by its number or by its text; the likeliest where there is none.
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if there is no such token.
   */
  constructor(
    reading: Reading,
    { token }: AttributionOptions,
  ) {
    super(reading);
    const { vocabulary } = this.architecture;
    this.#token = token === undefined || token === null
      ? undefined
      : checkInteger("token", idOf(token, vocabulary, tokenizerOf(reading)), {
        min: 0,
        max: vocabulary - 1,
      });
  }

  override get linkArguments(): LinkArguments {
    return { token: this.#token };
  }

  /** The token, and what the parts of its logit come to. */
  async token(): Promise<{ id: number; text: string; logit: number }> {
    const { token, parts } = await this.compute();
    const logit = parts.reduce((sum, { value }) => sum + value, 0);
    return { id: token, text: this.textOf(token), logit };
  }

  /** From the embedding upwards. */
  async parts(): Promise<readonly LogitPart[]> {
    return (await this.compute()).parts;
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    return await engine.ask("attribution", { ids, token: this.#token });
  }

  protected override columns({ token, parts }: Result): readonly Column[] {
    return [
      { name: "kind", type: "utf8", values: parts.map(({ kind }) => kind) },
      { name: "layer", type: "int32", values: parts.map(({ layer }) => layer) },
      { name: "head", type: "int32", values: parts.map(({ head }) => head) },
      { name: "value", type: "float32", values: parts.map(({ value }) => value) },
      { name: "centred", type: "float32", values: parts.map(({ centred }) => centred) },
      { name: "token", type: "int32", values: parts.map(() => token) },
    ];
  }
}

function idOf(token: number | string, vocabulary: number, tokenizer: Tokenizer): number {
  if (typeof token === "number") return token;
  const special = tokenizer.special(token);
  if (special !== undefined) return special;
  const { ids } = tokenizer.encode(token);
  if (ids.length === 1) return ids[0]!;
  const seen = ids.map((id) => JSON.stringify(tokenText(id, tokenizer))).slice(0, 8).join(", ");
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot attribute ${JSON.stringify(token)} as it is no token of the vocabulary but ${
      ids.length === 0 ? "nothing" : `${ids.length}: ${seen}`
    }; name one, a word with its space, or a number from 0 to ${vocabulary - 1}`,
    { tokens: ids.length, min: 0, max: vocabulary - 1 },
  );
}
