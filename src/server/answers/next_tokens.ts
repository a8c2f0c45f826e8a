import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { Head } from "../../requests/flow_options.ts";
import { canonicalHeads } from "../../requests/methods.ts";
import { checkInteger } from "./check_integer.ts";
import type { Questions } from "../../requests/questions.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";
import type { TopRow } from "../../requests/questions.ts";

/** The most tokens that are named for a position. */
export const MOST_TOKENS = 100;

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

/** What may be asked of {@linkcode NextTokens}. */
export interface NextTokensOptions {
  /** How many tokens. */
  readonly k: number;
  /** Heads that are ablated. */
  readonly ablate?: readonly Head[] | null | undefined;
}

type Result = Questions["nextTokens"]["result"];

/** What the model expects behind a prompt. */
export class NextTokens extends TableAnswer<Result> {
  override readonly field = "nextTokens";
  readonly #k: number;
  readonly #ablate: readonly Head[];

  /** @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if `k` or a head can't be. */
  constructor(reading: Reading, { k, ablate }: NextTokensOptions) {
    super(reading);
    const { vocabulary } = this.architecture;
    this.#k = checkInteger("k", k, { min: 1, max: Math.min(MOST_TOKENS, vocabulary) });
    this.#ablate = canonicalHeads(ablate ?? [], this.architecture);
  }

  override get linkArguments(): LinkArguments {
    return { k: this.#k, ablate: this.#ablate.length > 0 ? this.#ablate : undefined };
  }

  /** The likeliest tokens, best first. */
  async predictions(): Promise<Prediction[]> {
    return predictions((await this.compute()).top, (id) => this.textOf(id));
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    return await engine.ask("nextTokens", { ids, k: this.#k, ablate: this.#ablate });
  }

  protected override columns({ top }: Result): readonly Column[] {
    const rows = predictions(top, (id) => this.textOf(id));
    return [
      { name: "rank", type: "int32", values: rows.map((_, rank) => rank) },
      { name: "id", type: "int32", values: rows.map(({ id }) => id) },
      { name: "token", type: "utf8", values: rows.map(({ text }) => text) },
      { name: "logit", type: "float32", values: rows.map(({ logit }) => logit) },
      { name: "log_probability", type: "float32", values: top.logProbabilities },
      { name: "probability", type: "float32", values: rows.map((it) => it.probability) },
    ];
  }
}
