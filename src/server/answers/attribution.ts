import type { Column } from "../arrow/table.ts";
import type { ModelEngine } from "../queue/request_engine.ts";
import { InfoflowError } from "../../errors.ts";
import type { LoadedModel } from "./info_flow.ts";
import { tokenText } from "../../tokens/tokenize.ts";
import type { Tokenizer } from "../../tokens/tokenizer.ts";
import { checkInteger } from "./check_integer.ts";
import type { LogitPart, Questions } from "../../requests/questions.ts";
import { type LinkOptions, TableAnswer } from "./table_answer.ts";

type Result = Questions["attribution"]["result"];

/** Which parts of the model made the logit of one token after a prompt. */
export class Attribution extends TableAnswer<Result> {
  readonly kind = "attribution";
  readonly #token: number | undefined;

  /**
   * @param options The token, by its number or by its text; the likeliest where there is none.
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if there is no such token.
   */
  constructor(
    model: LoadedModel,
    prompt: string,
    { token }: { readonly token?: number | string | null | undefined },
  ) {
    super(model, prompt);
    const { vocabulary } = this.architecture;
    this.#token = token === undefined || token === null
      ? undefined
      : checkInteger("token", idOf(token, vocabulary, this.tokenizer), {
        min: 0,
        max: vocabulary - 1,
      });
  }

  get options(): LinkOptions {
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

  protected async ask(engine: ModelEngine, ids: readonly number[]): Promise<Result> {
    return await engine.ask("attribution", { ids, token: this.#token });
  }

  protected columns({ token, parts }: Result): readonly Column[] {
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
  const ids = tokenizer.encode(token);
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
