import { InfoflowError } from "../errors.ts";
import type { Architecture } from "./architecture/architecture.ts";
import { FLOW_METHODS, type FlowMethod, type Method } from "./flow_methods.ts";
import { checkWork } from "./operation_limit.ts";
import type { Heads } from "./flow_options.ts";
import {
  ablatedIn,
  type Aggregation,
  AGGREGATIONS,
  type FlowOptions,
  type Head,
  isByHead,
  type MatrixOptions,
  methodOf,
} from "./flow_options.ts";

/** The most heads that a question may ablate. */
const MOST_ABLATED = 64;

/** The aggregations that a method defines. */
export function aggregationsOf(method: Method): readonly Aggregation[] {
  return FLOW_METHODS[method].hasProduct ? AGGREGATIONS : ["MEAN", "NOTEBOOK"];
}

/**
 * Normalizes the method and the ablated heads, so that equal requests compare equal: defaults are left out, heads are
 * in ascending order, each once.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if the method does not define the aggregation, or can't be narrowed to heads;
 *   or if a head does not exist, or too many are ablated.
 */
export function canonicalMethod(
  options: MatrixOptions,
  model: Heads,
): Pick<FlowOptions, "method" | "ablate" | "difference"> {
  if (isByHead(options)) return {};
  const method = methodOf(options);
  const { aggregation, heads } = options;
  if (!aggregationsOf(method).includes(aggregation)) {
    const valid = aggregationsOf(method).join(", ");
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot aggregate ${method} by ${aggregation} as its paper defines no product of layers: ` +
        `the aggregations are ${valid}`,
      { aggregation, valid },
    );
  }
  if (heads && !FLOW_METHODS[method].takesHeads) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot choose heads for ${method} as it measures what all heads write together: choose them for ATTENTION, or ` +
        "switch off the others with ablate",
      { method },
    );
  }
  const ablate = canonicalHeads(ablatedIn(options), model);
  return {
    method: method === "ATTENTION" ? undefined : method,
    ablate: ablate.length === 0 ? undefined : ablate,
    difference: options.difference || undefined,
  };
}

/**
 * Refuses a method that would take too long for a prompt.
 *
 * @throws {InfoflowError} MATRIX_TOO_LARGE, as {@linkcode checkWork} does.
 */
export function checkMethodWork(
  method: Method,
  sizes: Pick<Architecture, "layers" | "channels" | "inner">,
  tokens: number,
): void {
  const { operations }: FlowMethod = FLOW_METHODS[method];
  if (operations) checkWork(method, tokens, (count) => operations(sizes, count));
}

/**
 * Puts heads in ascending order, each once.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if one does not exist, or there are too many.
 */
export function canonicalHeads(heads: readonly Head[], model: Heads): Head[] {
  const [layer, head] = [model.layers - 1, model.heads - 1];
  const valid = `layers are 0 to ${layer} and heads 0 to ${head}`;
  const wrong = heads.find((it) =>
    !isIndex(it.layer, model.layers) || !isIndex(it.head, model.heads)
  );
  if (wrong) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot switch off head ${wrong.head} of layer ${wrong.layer} as ${valid}`,
      { lastLayer: layer, lastHead: head },
    );
  }
  const unique = new Map(heads.map((it) => [it.layer * model.heads + it.head, it]));
  if (unique.size > MOST_ABLATED) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot switch off ${unique.size} heads as the limit is ${MOST_ABLATED}`,
      { heads: unique.size, limit: MOST_ABLATED },
    );
  }
  return [...unique.entries()].sort(([a], [b]) => a - b)
    .map(([, { layer, head }]) => ({ layer, head }));
}

function isIndex(value: number, count: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < count;
}
