import { InfoflowError } from "../../errors.ts";
import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { LogitPart } from "../../engine/analyses/attribution.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger, checkPosition } from "./check_integer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";
import { tokenId, type TokenName } from "./token_id.ts";

/** Options of {@linkcode Attribution}. */
export interface AttributionOptions extends ChangeArguments {
  /** A token, by its number or by its text; by default the most likely one. */
  readonly token?: TokenName | null | undefined;
  /** A token whose logit is subtracted. */
  readonly against?: TokenName | null | undefined;
  /** The position after which the token comes, by default the last. */
  readonly position?: number | null | undefined;
  /** How many parts, the largest first; by default all, from the embedding upwards. */
  readonly top?: number | null | undefined;
  /** Only parts of this kind. */
  readonly kind?: LogitPart["kind"] | null | undefined;
}

type Result = Questions["attribution"]["result"];

/** The parts of the model that made the logit of a next token. */
export class Attribution extends TableAnswer<Result> {
  override readonly field = "attribution";
  readonly #token: number | undefined;
  readonly #against: number | undefined;
  readonly #position: number | undefined;
  readonly #top: number | undefined;
  readonly #kind: LogitPart["kind"] | undefined;
  readonly #changes: Changes;

  /**
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if a token, the position, `top` or a change is not valid,
   *   or both tokens are the same.
   */
  constructor(reading: Reading, options: AttributionOptions) {
    super(reading);
    const { token, against, position, top, kind, ...changes } = options;
    this.#token = optional(token, (it) => tokenId(reading, "token", it));
    this.#against = optional(against, (it) => tokenId(reading, "against", it));
    if (this.#against !== undefined && this.#against === this.#token) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot take the difference of a token and itself as token and against must be two: current value is ${this.#token}`,
        { token: this.#token, against: this.#against },
      );
    }
    this.#position = optional(position, (it) => checkPosition("position", it, reading.ids.length));
    this.#top = optional(top, (it) => checkInteger("top", it, { min: 1, max: 100_000 }));
    this.#kind = kind ?? undefined;
    this.#changes = changesOf(reading, changes);
  }

  override get linkArguments(): LinkArguments {
    return {
      token: this.#token,
      against: this.#against,
      position: this.#position,
      top: this.#top,
      kind: this.#kind,
      ...this.#changes.linkArguments,
    };
  }

  /** The token, and the sum of the parts of its logit. */
  async token(): Promise<{ id: number; text: string; logit: number }> {
    const { token, parts } = await this.compute();
    const logit = parts.reduce((sum, { value }) => sum + value, 0);
    return { id: token, text: this.textOf(token), logit };
  }

  /** The token whose logit is subtracted, if there is one. */
  against(): { id: number; text: string } | null {
    if (this.#against === undefined) return null;
    return { id: this.#against, text: this.textOf(this.#against) };
  }

  /** From the embedding upwards, or the largest first. */
  async parts(): Promise<readonly LogitPart[]> {
    return this.#select((await this.compute()).parts);
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { interventions } = this.#changes;
    return await engine.ask("attribution", {
      ids,
      token: this.#token,
      ...(this.#against !== undefined && { against: this.#against }),
      ...(this.#position !== undefined && { position: this.#position }),
      ...(interventions && { interventions }),
    });
  }

  protected override identity(): LinkArguments {
    const { interventions } = this.#changes;
    return { ...this.linkArguments, interventions };
  }

  #select(all: readonly LogitPart[]): readonly LogitPart[] {
    const parts = this.#kind ? all.filter(({ kind }) => kind === this.#kind) : all;
    if (this.#top === undefined) return parts;
    return parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, this.#top);
  }

  protected override columns({ token, parts: all }: Result): readonly Column[] {
    const parts = this.#select(all);
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

function optional<T, R>(value: T | null | undefined, check: (value: T) => R): R | undefined {
  return value === null || value === undefined ? undefined : check(value);
}

/** The answer of the field `attribution`. */
export const attribution: AnswerMaker = aboutPrompt<AttributionOptions>((reading, options) =>
  new Attribution(reading, options)
);
