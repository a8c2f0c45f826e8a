import { InfoflowError } from "../errors.ts";
import type { Choice, Heads, MatrixOptions } from "./flow_options.ts";
import { canonicalMethod } from "./methods.ts";

/** The chosen layers and heads, in ascending order. */
export interface Chosen {
  readonly layers: readonly number[];
  readonly heads: readonly number[];
}

/**
 * The layers and heads that options choose.
 *
 * @throws {InfoflowError} BAD_USER_INPUT with `min` and `max`, if one does not exist or none is chosen.
 */
export function chosenOf({ layers, heads }: Choice, model: Heads): Chosen {
  return {
    layers: chosen("layer", layers, model.layers),
    heads: chosen("head", heads, model.heads),
  };
}

/**
 * Normalizes options so that equal requests compare equal: layers and heads in ascending order, each once, and left out
 * if all are chosen; the method likewise.
 *
 * @throws {InfoflowError} BAD_USER_INPUT as {@linkcode chosenOf} and {@linkcode canonicalMethod} do; or if there is to
 *   be no cell.
 */
export function canonical<Options extends MatrixOptions>(options: Options, model: Heads): Options {
  const { layers, heads } = chosenOf(options, model);
  if (typeof options.cells === "number" && options.cells < 1) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot draw a matrix as cells must be 1 at least: current value is ${options.cells}`,
      { min: 1 },
    );
  }
  return {
    ...options,
    ...canonicalMethod(options, model),
    layers: layers.length < model.layers ? layers : undefined,
    heads: heads.length < model.heads ? heads : undefined,
  };
}

/** Whether some layers or heads are not chosen. */
export function isNarrowed({ layers, heads }: Choice): boolean {
  return (layers ?? heads ?? undefined) !== undefined;
}

function chosen(
  kind: "layer" | "head",
  asked: readonly number[] | null | undefined,
  count: number,
): readonly number[] {
  if (!asked) return Array.from({ length: count }, (_, index) => index);
  const range = { min: 0, max: count - 1 };
  const valid = `the model has ${kind}s 0 to ${range.max}`;
  if (asked.length === 0) {
    throw new InfoflowError("BAD_USER_INPUT", `Cannot choose no ${kind}: ${valid}`, range);
  }
  const wrong = asked.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (wrong !== undefined) {
    throw new InfoflowError("BAD_USER_INPUT", `Cannot choose ${kind} ${wrong} as ${valid}`, range);
  }
  return [...new Set(asked)].sort((a, b) => a - b);
}
