import { InfoflowError } from "../../errors.ts";
import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { CellLists, Questions } from "../../requests/questions.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";

type Result = Questions["headSums"]["result"];

/** How much a head does of some known jobs; each is a mean over targets, 0 to 1. */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  /** Looks at the token before. */
  readonly previousToken: number;
  /** Rests on BOS. */
  readonly bos: number;
  /** Looks at what followed the same token before; null where no token comes twice. */
  readonly induction: number | null;
}

/**
 * The cells of a pattern whose weights make the scores, and over how many targets each is a mean: the token before, BOS,
 * and for targets whose token came before (BOS aside), what followed each time (Olsson et al. 2022).
 */
export function scoreCells(
  ids: readonly number[],
  hasBos = true,
): { readonly lists: CellLists; readonly counts: readonly number[] } {
  const targets = Array.from({ length: ids.length - 1 }, (_, at) => at + 1);
  const before = new Map<number, number[]>(hasBos ? [] : [[ids[0]!, [0]]]);
  const induction: number[] = [];
  let count = 0;
  for (const target of targets) {
    const places = before.get(ids[target]!) ?? [];
    const sources = places.map((place) => place + 1).filter((source) => source < target);
    for (const source of sources) induction.push(target, source);
    if (sources.length > 0) count++;
    places.push(target);
    before.set(ids[target]!, places);
  }
  return {
    lists: [
      Uint32Array.from(targets.flatMap((target) => [target, target - 1])),
      Uint32Array.from(targets.flatMap((target) => [target, 0])),
      Uint32Array.from(induction),
    ],
    counts: [targets.length, targets.length, count],
  };
}

/** Previous-token, BOS and induction scores of every head on a prompt. */
export class HeadScores extends TableAnswer<Result> {
  override readonly field = "headScores";
  override readonly linkArguments: LinkArguments = {};

  /** @throws {InfoflowError} BAD_USER_INPUT for a single token, which has none before it. */
  constructor(reading: Reading) {
    super(reading);
    if (reading.ids.length > 1) return;
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot score heads on one token as scores are means over tokens that have one before them: give two",
    );
  }

  /** Every head's scores, layer by layer. */
  async heads(): Promise<HeadScore[]> {
    return this.#rows(await this.compute());
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    return await engine.ask("headSums", { ids, lists: scoreCells(ids, this.reading.hasBos).lists });
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
    const [previous, bos, induction] = scoreCells(this.reading.ids, this.reading.hasBos).counts;
    return Array.from({ length: sums.length / 3 }, (_, at) => ({
      layer: Math.floor(at / heads),
      head: at % heads,
      previousToken: sums[3 * at]! / previous!,
      bos: sums[3 * at + 1]! / bos!,
      induction: induction! > 0 ? sums[3 * at + 2]! / induction! : null,
    }));
  }
}
