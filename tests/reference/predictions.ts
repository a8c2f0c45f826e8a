/** What the model predicts and why, in float64 and in plain loops. */
import type { Architecture } from "../../src/requests/architecture/architecture.ts";
import { type LayerTrace, norm, type Weights } from "./gpt2.ts";
import { type MethodLayer } from "./methods.ts";

type Numbers = ArrayLike<number>;

/** (rows, V): logits of some rows of the residual stream. */
export function logits(
  { channels: C, vocabulary: V, epsilon }: Architecture,
  weights: Weights,
  x: Numbers,
): Float64Array {
  const normed = norm(x, {
    gain: weights.get("ln_f.weight")!,
    bias: weights.get("ln_f.bias")!,
    epsilon,
  });
  const unembedding = weights.get("lm_head.weight") ?? weights.get("wte.weight")!;
  return Float64Array.from({ length: x.length / C * V }, (_, at) => {
    const [row, token] = [Math.floor(at / V), at % V];
    let sum = 0;
    for (let c = 0; c < C; c++) sum += normed[row * C + c]! * unembedding[token * C + c]!;
    return sum;
  });
}

/** The logarithms of the probabilities that logits of one row mean. */
export function logProbabilities(row: Float64Array): Float64Array {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return row.map((logit) => logit - largest - Math.log(sum));
}

/** The k tokens with the largest numbers, best first. */
export function top(row: Float64Array, k: number): number[] {
  return Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b).slice(0, k);
}

/** The parts of one logit of the last position; they sum to it. */
export interface Attribution {
  /** (L, H) */
  readonly heads: Float64Array;
  /** The same minus the mean over the vocabulary. */
  readonly headsCentred: Float64Array;
  /** (L): the bias of the attention's output. */
  readonly attentionBias: Float64Array;
  /** (L) */
  readonly mlp: Float64Array;
  readonly embedding: number;
  readonly finalBias: number;
}

/** Direct logit attribution: the last position's residual stream, part by part, its final layer norm's scale frozen. */
export function attribution(
  { architecture, weights, layers }: {
    architecture: Architecture;
    weights: Weights;
    layers: readonly MethodLayer[];
  },
  token: number,
): Attribution {
  const { channels: C, vocabulary: V, epsilon, heads: H } = architecture;
  const unembedding = weights.get("lm_head.weight") ?? weights.get("wte.weight")!;
  const gain = weights.get("ln_f.weight")!;
  const row = (x: Numbers): number[] => Array.from(x).slice(-C);
  const mean = (x: number[]): number => x.reduce((a, b) => a + b) / C;
  const end = row(layers.at(-1)!.trace.residPost);
  const centre = mean(end);
  const scale = 1 / Math.sqrt(mean(end.map((v) => (v - centre) ** 2)) + epsilon);
  const meanToken = Array.from({ length: C }, (_, c) => {
    let sum = 0;
    for (let t = 0; t < V; t++) sum += unembedding[t * C + c]!;
    return sum / V;
  });
  const ofToken = Array.from({ length: C }, (_, c) => unembedding[token * C + c]!);
  const part = (x: number[], direction: number[]): number => {
    const m = mean(x);
    return x.reduce((sum, v, c) => sum + (v - m) * scale * gain[c]! * direction[c]!, 0);
  };
  const centred = ofToken.map((v, c) => v - meanToken[c]!);
  const headParts = layers.flatMap(({ tokens: T, f, trace }) =>
    Array.from({ length: H }, (_, h) => {
      const sum = new Array<number>(C).fill(0);
      for (let j = 0; j < T; j++) {
        const a = trace.patterns[(h * T + T - 1) * T + j]!;
        for (let c = 0; c < C; c++) sum[c]! += a * f[(j * H + h) * C + c]!;
      }
      return sum;
    })
  );
  return {
    heads: Float64Array.from(headParts, (x) => part(x, ofToken)),
    headsCentred: Float64Array.from(headParts, (x) => part(x, centred)),
    attentionBias: Float64Array.from(
      layers,
      (_, l) => part(Array.from(weights.get(`h.${l}.attn.c_proj.bias`)!), ofToken),
    ),
    mlp: Float64Array.from(layers, ({ trace }) => {
      const mid = row(trace.residMid);
      return part(row(trace.residPost).map((v, c) => v - mid[c]!), ofToken);
    }),
    embedding: part(row(layers[0]!.trace.residPre), ofToken),
    finalBias: ofToken.reduce((sum, v, c) => sum + v * weights.get("ln_f.bias")![c]!, 0),
  };
}

/** Scores of every head, (L, H). */
export interface HeadScores {
  readonly previousToken: Float64Array;
  readonly bos: Float64Array;
  /** NaN where no token of the prompt comes twice. */
  readonly induction: Float64Array;
}

/** How much heads look at the token before, at BOS, and at what followed an earlier occurrence of the same token. */
export function headScores(
  traces: readonly Pick<LayerTrace, "patterns">[],
  ids: readonly number[],
  H: number,
): HeadScores {
  const T = ids.length;
  const mean = (cells: (i: number) => number[] | undefined): Float64Array =>
    Float64Array.from({ length: traces.length * H }, (_, at) => {
      let sum = 0;
      let count = 0;
      for (let i = 1; i < T; i++) {
        const sources = cells(i);
        if (!sources) continue;
        count++;
        for (const j of sources) {
          sum += traces[Math.floor(at / H)]!.patterns[((at % H) * T + i) * T + j]!;
        }
      }
      return sum / count;
    });
  return {
    previousToken: mean((i) => [i - 1]),
    bos: mean(() => [0]),
    induction: mean((i) => {
      const after = Array.from({ length: i - 1 }, (_, p) => p + 1)
        .filter((j) => j - 1 > 0 && j < i && ids[j - 1] === ids[i]);
      return after.length > 0 ? after : undefined;
    }),
  };
}
