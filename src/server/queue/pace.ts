import type { Architecture } from "../../requests/architecture/architecture.ts";
import { type EngineRequest, isQuestion, modelOf } from "../../requests/engine_request.ts";
import { methodOf } from "../../requests/flow_options.ts";
import { operationsOf } from "../../requests/operations.ts";

/** Operations that two cores do in a ms, used until a pace is measured. */
const FIRST_OPERATIONS_PER_MS = 25e6;
/** The weight of the newest measurement in a mean. */
const FRESHNESS = 0.3;

/** Estimates how long requests take: their operations, times the pace measured for similar ones. */
export class Pace {
  readonly #sizesOf: (model: number) => Architecture;
  /** In ms for an operation: of passes by their model, of all else by model and name. */
  readonly #measured = new Map<string, number>();

  /** @param sizesOf The sizes of a model, by its index. */
  constructor(sizesOf: (model: number) => Architecture) {
    this.#sizesOf = sizesOf;
  }

  /**
   * How long a request will take, in ms.
   *
   * @param isKnown Whether its prompt was answered recently, so that it needs no pass.
   */
  estimate(work: EngineRequest, isKnown: boolean): number {
    const { pass, own } = operationsOf(work, this.#sizesOf(modelOf(work)));
    // What a method measured is kept beside the patterns.
    if (isKnown && !isQuestion(work)) return 0;
    return (isKnown ? 0 : pass * this.#of(passOf(work))) + own * this.#of(nameOf(work));
  }

  /** Records how many ms a request took whose prompt was not in the cache. */
  learn(work: EngineRequest, ms: number): void {
    const { pass, own } = operationsOf(work, this.#sizesOf(modelOf(work)));
    if (own === 0) return this.#note(passOf(work), ms / pass);
    this.#note(nameOf(work), Math.max(0, ms - pass * this.#of(passOf(work))) / own);
  }

  /** Records after how many ms a request was cancelled: it would have taken longer than that. */
  learnAtLeast(work: EngineRequest, ms: number): void {
    if (this.estimate(work, false) < ms) this.learn(work, ms);
  }

  /** Records how many ms a pass took, and its number of operations. */
  learnPass(model: number, operations: number, ms: number): void {
    this.#note(`${model}`, ms / operations);
  }

  #of(name: string): number {
    const [model] = name.split("/");
    return this.#measured.get(name) ?? this.#measured.get(model!) ?? 1 / FIRST_OPERATIONS_PER_MS;
  }

  #note(name: string, msPerOperation: number): void {
    const known = this.#measured.get(name);
    this.#measured.set(
      name,
      known === undefined ? msPerOperation : known + FRESHNESS * (msPerOperation - known),
    );
  }
}

function passOf(work: EngineRequest): string {
  return `${modelOf(work)}`;
}

function nameOf(work: EngineRequest): string {
  return `${modelOf(work)}/${isQuestion(work) ? work.name : methodOf(work.options)}`;
}
