import type { Architecture } from "./architecture/architecture.ts";
import { type EngineRequest, idsOf, isQuestion, type MatrixRequest } from "./engine_request.ts";
import { FLOW_METHODS, type FlowMethod } from "./flow_methods.ts";
import { methodOf } from "./flow_options.ts";

/** Floating-point operations of a request, about. */
export interface Operations {
  /** Of the forward pass over its prompt, which a prompt that is kept does not take again. */
  readonly pass: number;
  /** Of what is asked, beside the pass. */
  readonly own: number;
}

/** Counts what a request takes of a model. */
export function operationsOf(work: EngineRequest, sizes: Architecture): Operations {
  const tokens = idsOf(work).length;
  const pass = passOperations(sizes, tokens);
  return { pass, own: isQuestion(work) ? ofQuestion(work, sizes, pass) : ofFlow(work, sizes) };
}

/** The forward pass: the linears of each layer, and attention over the causal half. */
export function passOperations(
  { layers, channels, inner }: Pick<Architecture, "layers" | "channels" | "inner">,
  tokens: number,
): number {
  const linears = 2 * tokens * (4 * channels ** 2 + 2 * channels * inner);
  const attention = 2 * tokens ** 2 * channels;
  return layers * (linears + attention);
}

function ofFlow({ ids, options }: MatrixRequest, sizes: Architecture): number {
  const method: FlowMethod = FLOW_METHODS[methodOf(options)];
  return method.operations?.(sizes, ids.length) ?? 0;
}

function ofQuestion(
  work: Extract<EngineRequest, { name: string }>,
  { layers, heads, channels, vocabulary }: Architecture,
  pass: number,
): number {
  const tokens = idsOf(work).length;
  const unembedded = (rows: number): number => 2 * rows * channels * vocabulary;
  switch (work.name) {
    case "nextTokens":
      return unembedded(1);
    case "tokenChanges":
      return pass + unembedded(2);
    case "logitLens":
      return unembedded((layers + 1) * tokens);
    case "lossEffects":
      return unembedded(tokens + (work.argument.positions?.length ?? 0));
    case "headEffects":
      return layers * heads * pass / 2;
    case "patching":
      return layers * tokens * pass / 2;
    default:
      return pass;
  }
}
