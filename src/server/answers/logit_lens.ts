import { isLong, pause } from "../../pauses.ts";
import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { InfoflowError } from "../../errors.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger, checkPosition } from "./check_integer.ts";
import { type Prediction, predictions } from "./next_tokens.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";
import { checkWork } from "../../requests/operation_limit.ts";

/** The most tokens for a position and a layer. */
const MOST_TOKENS = 20;
/** The most rows that are returned as JSON; Arrow can have more. */
const MOST_LISTED = 4096;

type Result = Questions["logitLens"]["result"];

/** Options of {@linkcode LogitLens}. */
export interface LogitLensOptions extends ChangeArguments {
  /** How many tokens of each position and layer. */
  readonly k: number;
  /** The positions, by default all. */
  readonly positions?: readonly number[] | null | undefined;
}

/** What a position would predict if the model ended after a layer. */
export interface LensPrediction extends Prediction {
  /** The layer whose output it is; 0 is the embedding. */
  readonly layer: number;
  readonly position: number;
  readonly rank: number;
}

/** The most likely tokens of each position after each layer (the logit lens, nostalgebraist 2020). */
export class LogitLens extends TableAnswer<Result> {
  override readonly field = "logitLens";
  readonly #k: number;
  readonly #positions: readonly number[];
  readonly #changes: Changes;

  /**
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if `k` is not valid; MATRIX_TOO_LARGE if it takes too
   *   long.
   */
  constructor(reading: Reading, { k, positions, ...changes }: LogitLensOptions) {
    super(reading);
    const count = reading.ids.length;
    const named = positions?.map((it) => checkPosition("positions", it, count));
    if (named?.length === 0) throw noPosition(count);
    this.#positions = named
      ? [...new Set(named)].sort((a, b) => a - b)
      : reading.ids.map((_, position) => position);
    this.#changes = changesOf(reading, changes);
    const { layers, channels, vocabulary } = this.architecture;
    this.#k = checkInteger("k", k, { min: 1, max: Math.min(MOST_TOKENS, vocabulary) });
    const each = 2 * (layers + 1) * channels * vocabulary;
    checkWork("the logit lens", this.#positions.length, (tokens) => tokens * each);
  }

  override get linkArguments(): LinkArguments {
    return { k: this.#k, positions: this.#some, ...this.#changes.linkArguments };
  }

  /**
   * All predictions, layer by layer, position by position, best first.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if they are too many to be listed.
   */
  async predictions(): Promise<LensPrediction[]> {
    const count = (this.architecture.layers + 1) * this.#positions.length * this.#k;
    if (count > MOST_LISTED) {
      throw new InfoflowError(
        "MATRIX_TOO_LARGE",
        `Cannot list ${count.toLocaleString("en")} predictions as the limit is ${
          MOST_LISTED.toLocaleString("en")
        }: ask for \`arrow\` or \`url\` instead`,
        { values: count, limit: MOST_LISTED },
      );
    }
    return await this.#rows(await this.compute());
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { interventions } = this.#changes;
    return await engine.ask("logitLens", {
      ids,
      k: this.#k,
      ...(this.#some && { positions: this.#some }),
      ...(interventions && { interventions }),
    });
  }

  protected override identity(): LinkArguments {
    const { interventions } = this.#changes;
    return { ...this.linkArguments, interventions };
  }

  /** The positions, if not all are meant. */
  get #some(): readonly number[] | undefined {
    return this.#positions.length < this.tokens.length ? this.#positions : undefined;
  }

  protected override async columns(result: Result): Promise<readonly Column[]> {
    const rows = await this.#rows(result);
    return [
      { name: "layer", type: "int32", values: rows.map(({ layer }) => layer) },
      { name: "position", type: "int32", values: rows.map(({ position }) => position) },
      { name: "rank", type: "int32", values: rows.map(({ rank }) => rank) },
      { name: "id", type: "int32", values: rows.map(({ id }) => id) },
      { name: "token", type: "utf8", values: rows.map(({ text }) => text) },
      { name: "log_probability", type: "float32", values: rows.map((it) => it.logProbability) },
      { name: "probability", type: "float32", values: rows.map((it) => it.probability) },
    ];
  }

  async #rows({ tops }: Result): Promise<LensPrediction[]> {
    const positions = this.#positions;
    const rows: LensPrediction[] = [];
    for (const [row, top] of tops.entries()) {
      if (isLong()) await pause();
      const place = {
        layer: Math.floor(row / positions.length),
        position: positions[row % positions.length]!,
      };
      predictions(top, (id) => this.textOf(id)).forEach((prediction, rank) =>
        rows.push({ ...prediction, ...place, rank })
      );
    }
    return rows;
  }
}

function noPosition(tokens: number): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot answer for no position: positions are 0 to ${
      tokens - 1
    }, or count from the end; leave them out for all`,
    { min: -tokens, max: tokens - 1 },
  );
}

/** The answer of the field `logitLens`. */
export const logitLens: AnswerMaker = aboutPrompt<LogitLensOptions>((reading, options) =>
  new LogitLens(reading, options)
);
