import type { Column } from "../arrow/table.ts";
import type { ModelEngine } from "../queue/request_engine.ts";
import { InfoflowError } from "../../errors.ts";
import type { LoadedModel } from "./info_flow.ts";
import { checkInteger } from "./check_integer.ts";
import type { Questions, RouteEdge, RouteNode } from "../../requests/questions.ts";
import { type LinkOptions, TableAnswer } from "./table_answer.ts";

type Result = Questions["routes"]["result"];

/** What carries the prediction at one target, as a graph. */
export class RouteGraphAnswer extends TableAnswer<Result> {
  readonly kind = "routes";
  /** The position that the routes lead to, 0 for BOS. */
  readonly target: number;
  readonly threshold: number;

  /**
   * @param options The target, the last position where there is none, and the least share of an edge.
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if there is no such target, or the threshold can't be.
   */
  constructor(
    model: LoadedModel,
    prompt: string,
    { target, threshold }: { readonly target?: number | null | undefined; threshold: number },
  ) {
    super(model, prompt);
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
  }

  get options(): LinkOptions {
    return { target: this.target, threshold: this.threshold };
  }

  /** The places that the routes come through, from the top down. */
  async nodes(): Promise<readonly RouteNode[]> {
    return (await this.compute()).nodes;
  }

  /** What carries from place to place, from the top down. */
  async edges(): Promise<readonly RouteEdge[]> {
    return (await this.compute()).edges;
  }

  protected async ask(engine: ModelEngine, ids: readonly number[]): Promise<Result> {
    const { target, threshold } = this;
    return await engine.ask("routes", { ids, target, threshold });
  }

  protected columns({ edges }: Result): readonly Column[] {
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
