import { InfoflowError } from "../../errors.ts";
import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import { scoreTargets } from "../../requests/score_cells.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";

type Result = Questions["headScores"]["result"];

/** How much of three known jobs a head does; each is a mean over targets, 0 to 1. */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  /** Attention to the previous token. */
  readonly previousToken: number;
  /** Attention to BOS. */
  readonly bos: number;
  /** Attention to what followed the same token before; null if no token comes twice. */
  readonly induction: number | null;
}

/** Previous-token, BOS and induction scores of every head on a prompt. */
export class HeadScores extends TableAnswer<Result> {
  override readonly field = "headScores";
  readonly #changes: Changes;

  /**
   * @throws {InfoflowError} BAD_USER_INPUT for a single token, which has none before it, or a change that is not valid.
   */
  constructor(reading: Reading, changes: ChangeArguments) {
    super(reading);
    this.#changes = changesOf(reading, changes);
    if (reading.ids.length > 1) return;
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot score heads on one token as scores are means over tokens that have one before them: give two",
    );
  }

  override get linkArguments(): LinkArguments {
    return this.#changes.linkArguments;
  }

  /** Every head's scores, layer by layer. */
  async heads(): Promise<HeadScore[]> {
    return this.#rows(await this.compute());
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { interventions } = this.#changes;
    return await engine.ask("headScores", {
      ids,
      hasBos: this.reading.hasBos,
      ...(interventions && { interventions }),
    });
  }

  protected override identity(): LinkArguments {
    return { interventions: this.#changes.interventions };
  }

  protected override columns(result: Result): readonly Column[] {
    const rows = this.#rows(result);
    return [
      { name: "layer", type: "int32", values: rows.map(({ layer }) => layer) },
      { name: "head", type: "int32", values: rows.map(({ head }) => head) },
      { name: "previous_token", type: "float32", values: rows.map((it) => it.previousToken) },
      { name: "bos", type: "float32", values: rows.map(({ bos }) => bos) },
      { name: "induction", type: "float32", values: rows.map(({ induction }) => induction) },
    ];
  }

  #rows({ sums }: Result): HeadScore[] {
    const { heads } = this.architecture;
    const [previous, bos, induction] = scoreTargets(this.reading.ids, this.reading.hasBos);
    return Array.from({ length: sums.length / 3 }, (_, at) => ({
      layer: Math.floor(at / heads),
      head: at % heads,
      previousToken: sums[3 * at]! / previous!,
      bos: sums[3 * at + 1]! / bos!,
      induction: induction! > 0 ? sums[3 * at + 2]! / induction! : null,
    }));
  }
}

/** The answer of the field `headScores`. */
export const headScores: AnswerMaker = aboutPrompt<ChangeArguments>((reading, options) =>
  new HeadScores(reading, options)
);
