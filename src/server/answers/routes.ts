import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { InfoflowError } from "../../errors.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger } from "./check_integer.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import type { RouteEdge, RouteNode } from "../../requests/route_graph.ts";
import { strongestRoutes } from "../../requests/strongest_routes.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import type { Reading } from "./reading.ts";
import { TableAnswer } from "./table_answer.ts";

/** Options of {@linkcode RouteGraphAnswer}. */
export interface RoutesOptions extends ChangeArguments {
  /** A position, 0 for BOS; by default the last. */
  readonly target?: number | null | undefined;
  /** The smallest share of an edge, 0 to 1. */
  readonly threshold: number;
  /** How many edges, the strongest; by default all. */
  readonly strongest?: number | null | undefined;
}

/** More can't be distinguished in any picture. */
const MOST_EDGES = 100_000;

type Result = Questions["routes"]["result"];

/** The routes that lead to the prediction at one target, as a graph. */
export class RouteGraphAnswer extends TableAnswer<Result> {
  override readonly field = "routes";
  /** The position that the routes lead to, 0 for BOS. */
  readonly target: number;
  readonly threshold: number;
  /** How many edges there are at most. */
  readonly strongest: number | undefined;
  readonly #changes: Changes;

  /**
   * @param options The target, by default the last position, and the smallest share of an edge.
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if there is no such target, or the threshold is not
   *   valid.
   */
  constructor(
    reading: Reading,
    { target, threshold, strongest, ...changes }: RoutesOptions,
  ) {
    super(reading);
    const max = this.tokens.length - 1;
    this.target = checkInteger("target", target ?? max, { min: 0, max });
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot answer as threshold must lie between 0 and 1: current value is ${threshold}`,
        { min: 0, max: 1 },
      );
    }
    this.threshold = threshold;
    this.strongest = strongest === null || strongest === undefined
      ? undefined
      : checkInteger("strongest", strongest, { min: 1, max: MOST_EDGES });
    this.#changes = changesOf(reading, changes);
  }

  override get linkArguments(): LinkArguments {
    return {
      target: this.target,
      threshold: this.threshold,
      strongest: this.strongest,
      ...this.#changes.linkArguments,
    };
  }

  /** The nodes, from the top down. */
  async nodes(): Promise<readonly RouteNode[]> {
    return (await this.compute()).nodes;
  }

  /** The edges, from the top down. */
  async edges(): Promise<readonly RouteEdge[]> {
    return (await this.compute()).edges;
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { target, threshold } = this;
    const { interventions } = this.#changes;
    const result = await engine.ask("routes", {
      ids,
      target,
      threshold,
      ...(interventions && { interventions }),
    });
    if (this.strongest === undefined) return result;
    return { ...result, ...strongestRoutes({ ...result, target }, this.strongest) };
  }

  protected override identity(): LinkArguments {
    const { interventions } = this.#changes;
    return { ...this.linkArguments, interventions };
  }

  protected override columns({ edges }: Result): readonly Column[] {
    return [
      { name: "layer", type: "int32", values: edges.map(({ layer }) => layer) },
      { name: "kind", type: "utf8", values: edges.map(({ kind }) => kind) },
      { name: "head", type: "int32", values: edges.map(({ head }) => head) },
      { name: "source", type: "int32", values: edges.map(({ source }) => source) },
      { name: "target", type: "int32", values: edges.map(({ target }) => target) },
      { name: "weight", type: "float32", values: edges.map(({ weight }) => weight) },
    ];
  }
}

/** The answer of the field `routes`. */
export const routes: AnswerMaker = aboutPrompt<RoutesOptions>((reading, options) =>
  new RouteGraphAnswer(reading, options)
);
