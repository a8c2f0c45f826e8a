import type { Needs, Settled, Settler } from "../passes/materialize.ts";
import { HeadSums } from "./head_scores.ts";
import { LogitParts } from "./attribution.ts";
import { Routes } from "./routes.ts";
import { Tops } from "./top_logits.ts";
import type { Workbench } from "./device_context.ts";
import { logitsOf } from "./logits.ts";
import type { LogProbabilityChange, Question, Questions } from "../../requests/questions.ts";

type Result<Name extends keyof Questions> = Omit<Questions[Name]["result"], "cacheHit">;

/** Answers questions about a prompt, from its streams and patterns on the device. */
export class Asker {
  readonly #bench: Workbench;
  readonly #layers: number;
  readonly #settler: Settler;
  readonly #tops: Tops;
  readonly #logitParts: LogitParts;
  readonly #headSums: HeadSums;
  readonly #routes: Routes;

  constructor(bench: Workbench, settler: Settler) {
    this.#bench = bench;
    this.#layers = bench.architecture.layers;
    this.#settler = settler;
    this.#tops = new Tops(bench);
    this.#logitParts = new LogitParts(bench);
    this.#headSums = new HeadSums(bench);
    this.#routes = new Routes(bench);
  }

  /**
   * Answers a question.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device has no room, or an answer is too long.
   */
  async ask(question: Question): Promise<Questions[keyof Questions]["result"]> {
    const needs: Needs = {
      streams: question.name !== "headSums",
      ablate: "ablate" in question.argument ? question.argument.ablate : undefined,
    };
    const settled = await this.#settler.settle(question.argument.ids, needs);
    try {
      const result = await this.#answer(question, settled);
      settled.commit();
      return { ...result, cacheHit: settled.cacheHit } as Questions[keyof Questions]["result"];
    } catch (error) {
      settled.abort();
      throw error;
    }
  }

  async #answer(question: Question, settled: Settled): Promise<Result<keyof Questions>> {
    switch (question.name) {
      case "nextTokens":
        return { top: await this.#next(settled, question.argument.k) };
      case "tokenChanges":
        return { changes: await this.#changes(settled, question.argument.k) };
      case "logitLens": {
        const layers = Array.from({ length: this.#layers + 1 }, (_, layer) => layer);
        const { ids, k } = question.argument;
        return { tops: await this.#tops.of(settled, { layers, row: 0, rows: ids.length, k }) };
      }
      case "attribution": {
        const token = question.argument.token ?? (await this.#next(settled, 1)).ids[0]!;
        return { token, parts: await this.#logitParts.of(settled, token) };
      }
      case "headSums":
        return { sums: await this.#headSums.of(settled, question.argument.lists) };
      case "routes":
        return await this.#routes.to(settled, question.argument);
    }
  }

  async #changes(ablated: Settled, k: number): Promise<LogProbabilityChange[]> {
    const plain = await this.#settler.settle(ablated.ids, { streams: true });
    try {
      const after = await this.#next(ablated, k);
      const before = await this.#next(plain, k);
      const ids = [...new Set([...before.ids, ...after.ids])];
      const logitsAfter = await logitsOf(this.#bench, ablated, ids);
      const logitsBefore = await logitsOf(this.#bench, plain, ids);
      plain.commit();
      return ids.map((id, at) => ({
        id,
        before: logitsBefore[at]! - before.total,
        after: logitsAfter[at]! - after.total,
      }));
    } catch (error) {
      plain.abort();
      throw error;
    }
  }

  async #next(settled: Settled, k: number): Promise<Questions["nextTokens"]["result"]["top"]> {
    const place = { layers: [this.#layers], row: settled.ids.length - 1, rows: 1, k };
    return (await this.#tops.of(settled, place))[0]!;
  }
}
