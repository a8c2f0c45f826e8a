import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { InfoflowError } from "../../errors.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger, checkPosition } from "./check_integer.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";
import { tokenId, type TokenName } from "./token_id.ts";
import type { TopRow } from "../../engine/analyses/top_row.ts";

/** The most tokens for a position. */
const MOST_TOKENS = 100;

/** A token that may come next. */
export interface Prediction {
  readonly id: number;
  readonly text: string;
  readonly logit: number;
  readonly logProbability: number;
  readonly probability: number;
}

/** The tokens of a row, best first. */
export function predictions(
  { ids, logits, logProbabilities }: TopRow,
  textOf: (id: number) => string,
): Prediction[] {
  return ids.map((id, rank) => ({
    id,
    text: textOf(id),
    logit: logits[rank]!,
    logProbability: logProbabilities[rank]!,
    probability: Math.exp(logProbabilities[rank]!),
  }));
}

/** Options of {@linkcode NextTokens}. */
export interface NextTokensOptions extends ChangeArguments {
  /** How many tokens. */
  readonly k: number;
  /** Further tokens whose probabilities are wanted. */
  readonly tokens?: readonly TokenName[] | null | undefined;
  /** The position after which the token comes, by default the last. */
  readonly position?: number | null | undefined;
}

type Result = Questions["nextTokens"]["result"];

/** The most likely next tokens of a prompt. */
export class NextTokens extends TableAnswer<Result> {
  override readonly field = "nextTokens";
  readonly #k: number;
  readonly #named: readonly number[];
  readonly #position: number | undefined;
  readonly #changes: Changes;

  /**
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if `k`, a token, the position or a change is not valid.
   */
  constructor(reading: Reading, { k, tokens, position, ...changes }: NextTokensOptions) {
    super(reading);
    this.#changes = changesOf(reading, changes);
    this.#named = namedTokens(reading, tokens ?? []);
    this.#position = position === null || position === undefined
      ? undefined
      : checkPosition("position", position, reading.ids.length);
    const { vocabulary } = this.architecture;
    this.#k = checkInteger("k", k, { min: 1, max: Math.min(MOST_TOKENS, vocabulary) });
  }

  override get linkArguments(): LinkArguments {
    return {
      k: this.#k,
      tokens: this.#named.length > 0 ? this.#named : undefined,
      position: this.#position,
      ...this.#changes.linkArguments,
    };
  }

  /** The most likely tokens, best first, then those of `tokens` that are not among them. */
  async predictions(): Promise<Prediction[]> {
    return this.#rows(await this.compute());
  }

  /** The tokens of the option `tokens`, in their order. */
  async named(): Promise<Prediction[]> {
    return this.#namedRows(await this.compute());
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { ablate, interventions } = this.#changes;
    return await engine.ask("nextTokens", {
      ids,
      k: this.#k,
      ...(this.#named.length > 0 && { tokens: this.#named }),
      ...(this.#position !== undefined && { position: this.#position }),
      ...(ablate && { ablate }),
      ...(interventions && { interventions }),
    });
  }

  protected override identity(): LinkArguments {
    const { interventions } = this.#changes;
    return { ...this.linkArguments, interventions };
  }

  #rows(result: Result): Prediction[] {
    const likeliest = predictions(result.top, (id) => this.textOf(id));
    const others = this.#namedRows(result).filter(({ id }) => !result.top.ids.includes(id));
    return [...likeliest, ...others];
  }

  #namedRows({ top, logits }: Result): Prediction[] {
    const logProbabilities = logits.map((logit) => logit - top.total);
    const named = { ids: this.#named, logits, logProbabilities, total: top.total };
    return predictions(named, (id) => this.textOf(id));
  }

  protected override columns(result: Result): readonly Column[] {
    const rows = this.#rows(result);
    const likeliest = result.top.ids.length;
    return [
      { name: "rank", type: "int32", values: rows.map((_, at) => at < likeliest ? at : null) },
      { name: "id", type: "int32", values: rows.map(({ id }) => id) },
      { name: "token", type: "utf8", values: rows.map(({ text }) => text) },
      { name: "logit", type: "float32", values: rows.map(({ logit }) => logit) },
      { name: "log_probability", type: "float32", values: rows.map((it) => it.logProbability) },
      { name: "probability", type: "float32", values: rows.map((it) => it.probability) },
    ];
  }
}

/** Each token once. */
function namedTokens(reading: Reading, names: readonly TokenName[]): number[] {
  const ids = [...new Set(names.map((name) => tokenId(reading, "tokens", name)))];
  if (ids.length <= MOST_TOKENS) return ids;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot answer for ${ids.length} tokens as the limit is ${MOST_TOKENS}`,
    { tokens: ids.length, limit: MOST_TOKENS },
  );
}

/** The answer of the field `nextTokens`. */
export const nextTokens: AnswerMaker = aboutPrompt<NextTokensOptions>((reading, options) =>
  new NextTokens(reading, options)
);
