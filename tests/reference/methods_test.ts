// The first link of the chain for the other measures of flow: reference data, computed in float64 and stored as
// float32, against the float64 reference here.
import assert from "node:assert/strict";
import { readReference, TINY } from "../support/fixtures.ts";
import { assertClose } from "../support/assert_close.ts";
import { readModel } from "../support/read_model.ts";
import { headMean } from "./flow.ts";
import { forward, type Head } from "./gpt2.ts";
import {
  alti,
  attentionNorm,
  attentionResidual,
  type MethodLayer,
  methodLayers,
  products,
  routes,
  shares,
  valueNorm,
  valueZeroing,
} from "./methods.ts";
import { attribution, headScores, logits, logProbabilities, top } from "./predictions.ts";

/** Half a unit in the last place of a float32, and what float64 sums differ by. */
const STORED = { atol: 1e-12, rtol: 1.2e-7 };

const { architecture, weights } = await readModel(TINY);
const { ids, tensors } = await readReference("methods/T14");
const T = ids.length;
const traces = forward(architecture, weights, ids);
const layers = methodLayers(architecture, weights, traces);
const flat = (parts: readonly ArrayLike<number>[]): number[] =>
  parts.flatMap((part) => Array.from(part));
const is = (actual: ArrayLike<number>, name: string): number =>
  // Small entries are differences of large numbers: 1e-12 of the largest.
  assertClose(actual, tensors.get(name)!, {
    ...STORED,
    atol: 1e-12 * tensors.get(name)!.reduce((a, b) => Math.max(a, Math.abs(b)), 1),
  });

Deno.test("float64 streams and head outputs agree with methods/T14", () => {
  is(flat(traces.map(({ patterns }) => patterns)), "patterns");
  is(flat(traces.map(({ residPre }) => residPre)), "resid_pre");
  is(flat(traces.map(({ residMid }) => residMid)), "resid_mid");
  is(flat(traces.map(({ residPost }) => residPost)), "resid_post");
  is(flat(layers.map(({ f }) => f)), "f");
});

Deno.test("float64 measures of flow agree with methods/T14", () => {
  for (
    const [name, measure] of [
      ["value_norm", valueNorm],
      ["attn_norm", attentionNorm],
      ["attn_res", attentionResidual],
      ["value_zeroing", valueZeroing],
    ] as const
  ) {
    const matrices = layers.map(measure);
    is(flat(matrices), name);
    is(flat(matrices.map((matrix) => shares(matrix, T))), `${name}_rows`);
  }
  is(flat(layers.map(alti)), "alti_raw");
  const rows = layers.map((layer) => shares(alti(layer), T));
  is(flat(rows), "alti_rows");
  is(flat(products(rows, T)), "alti");
  const residual = layers.map((layer) => shares(attentionResidual(layer), T));
  is(flat(products(residual, T)), "attn_res_rollout");
});

Deno.test("float64 routes agree with methods/T14", () => {
  const all = layers.map(routes);
  is(flat(all.map(({ heads }) => heads)), "routes_heads");
  is(flat(all.map(({ residual }) => residual)), "routes_resid");
  is(flat(all.map(({ matrix }) => matrix)), "routes");
  is(flat(all.map(({ mlp }) => mlp)), "routes_ffn");
  is(flat(all.map(({ mlpResidual }) => mlpResidual)), "routes_ffn_resid");
});

Deno.test("float64 ablations agree with methods/T14", () => {
  for (let n = 0; n < 4; n++) {
    const pairs = Array.from(tensors.get(`ablate${n}_heads`)!);
    const heads: Head[] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      heads.push({ layer: pairs[at]!, head: pairs[at + 1]! });
    }
    const ablated = forward(architecture, weights, ids, heads);
    is(flat(ablated.map(({ patterns }) => patterns)), `ablate${n}_patterns`);
    const last = ablated.at(-1)!.residPost.slice(-architecture.channels);
    is(logits(architecture, weights, last), `ablate${n}_logits`);
  }
});

Deno.test("float64 predictions, lens and attributions agree with methods/T14", () => {
  const { channels: C, vocabulary: V } = architecture;
  is(logits(architecture, weights, traces.at(-1)!.residPost.slice(-C)), "logits");
  const streams = [traces[0]!.residPre, ...traces.map(({ residPost }) => residPost)];
  const ids5: number[] = [];
  const logprobs: number[] = [];
  for (const stream of streams) {
    const all = logits(architecture, weights, stream);
    for (let t = 0; t < T; t++) {
      const row = logProbabilities(all.slice(t * V, (t + 1) * V));
      const best = top(row, 5);
      ids5.push(...best);
      logprobs.push(...best.map((id) => row[id]!));
    }
  }
  assert.deepEqual(ids5, Array.from(tensors.get("lens_ids")!));
  is(logprobs, "lens_logprobs");

  const token = tensors.get("dla_token")![0]!;
  const parts = attribution({ architecture, weights, layers }, token);
  is(parts.heads, "dla_heads");
  is(parts.headsCentred, "dla_heads_centred");
  is(parts.attentionBias, "dla_attn_bias");
  is(parts.mlp, "dla_mlp");
  is([parts.embedding], "dla_embed");
  is([parts.finalBias], "dla_ln_f_bias");
});

Deno.test("float64 head scores agree with methods/repeat20", async () => {
  const { ids, tensors } = await readReference("methods/repeat20");
  const scores = headScores(forward(architecture, weights, ids), ids, architecture.heads);
  assertClose(scores.previousToken, tensors.get("prev_token_score")!, STORED);
  assertClose(scores.bos, tensors.get("bos_score")!, STORED);
  assertClose(scores.induction, tensors.get("induction_score")!, STORED);
});

Deno.test("the example of docs/methods.md comes out as it says", () => {
  // The third of three tokens; the other two have nothing of interest.
  const T = 3;
  const third = (numbers: number[]): Float64Array => Float64Array.from([0, 0, 0, 0, ...numbers]);
  const patterns = Float64Array.from(
    [[0.5, 0.5, 0], [0.25, 0.5, 0.25]].flatMap((row) => [1, 0, 0, 1, 0, 0, ...row]),
  );
  const y = third([0.5, 4.6]);
  const layer = {
    heads: 2,
    tokens: T,
    channels: 2,
    trace: { patterns, residPre: third([1, 3]), residMid: y, residPost: y },
    f: Float64Array.from([0.2, 0, 0, 0.4, 2, 0, -2, 1, 0, 0, 0, 4]),
    mlpBlock: (mid: ArrayLike<number>) => Float64Array.from(mid),
  } as unknown as MethodLayer;
  for (
    const [matrix, expected] of [
      [headMean(patterns, { layers: 1, heads: 2, tokens: T }), [0.375, 0.5, 0.125]],
      [valueNorm(layer), [0.06, 0.638, 0.301]],
      [attentionNorm(layer), [0.086, 0.305, 0.609]],
      [attentionResidual(layer), [0.03, 0.105, 0.865]],
      [alti(layer), [0.043, 0.106, 0.851]],
      [routes(layer).matrix, [0.048, 0, 0.952]],
      [valueZeroing(layer), [0.267, 0.119, 0.614]],
    ] as const
  ) {
    assertClose(shares(matrix.subarray(2 * T), T).subarray(0, T), expected, { atol: 6e-4 });
  }
});
