import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { LogitPart, Questions } from "../../requests/questions.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";
import { tokenId } from "./token_id.ts";

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
    this.#token = token === undefined || token === null
      ? undefined
      : tokenId(reading, "token", token);
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
