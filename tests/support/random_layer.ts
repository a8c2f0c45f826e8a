import { triangleStride } from "../../src/engine/activations/packed_triangles.ts";
import { attentionPattern, mixValues } from "../reference/gpt2.ts";
import { headOutputs, type MethodLayer } from "../reference/methods.ts";
import { Random } from "./random.ts";
import { packTriangles } from "./triangles.ts";

/** The row of position 0 in a texture of queries, keys and values. */
export const SLOT = 2;

/** One layer of random weights at work: what kernels read, as float32, and what the reference does. */
export interface RandomLayer extends MethodLayer {
  readonly headSize: number;
  /** (SLOT + T, 3C) */
  readonly qkv: Float32Array;
  /** (C, C) */
  readonly w: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** (H, T, T), packed. */
  readonly packed: Float32Array;
  /** (H, T, C) */
  readonly outputs: Float32Array;
  readonly stride: number;
}

/** Sizes on both sides of the kernels' tiles (8 targets, 8 sources, 4 heads, 4 or 32 texels); no two are equal. */
export const LAYER_SIZES = [
  { tokens: 1, heads: 3, headSize: 4 },
  { tokens: 5, heads: 2, headSize: 12 },
  { tokens: 65, heads: 5, headSize: 28 },
] as const;

/** Makes a layer; patterns are peaked, and every third row has almost everything on BOS, as trained models' have. */
export function randomLayer(
  { tokens, heads, headSize }: { tokens: number; heads: number; headSize: number },
): RandomLayer {
  const random = new Random(tokens * heads);
  const channels = heads * headSize;
  const qkv = random.normals(tokens * 3 * channels, 2);
  for (let i = 0; i < tokens; i += 3) {
    for (let c = 0; c < channels; c++) qkv[i * 3 * channels + c]! += 3 * qkv[channels + c]!;
  }
  const w = random.normals(channels ** 2, 0.3);
  const x = random.normals(tokens * channels, 3);
  const scale = 1 / Math.sqrt(headSize);
  const stride = triangleStride(tokens);
  // What the kernels read is float32: the reference starts from the same numbers.
  const patterns = Float64Array.from(
    Float32Array.from(attentionPattern(qkv, { heads, channels, scale })),
  );
  const f = Float64Array.from(Float32Array.from(headOutputs(qkv, w, { heads, channels })));
  const y = Float32Array.from(x, (v, at) => {
    const [i, c] = [Math.floor(at / channels), at % channels];
    let sum = v;
    for (let h = 0; h < heads; h++) {
      for (let j = 0; j <= i; j++) {
        sum += patterns[(h * tokens + i) * tokens + j]! * f[(j * heads + h) * channels + c]!;
      }
    }
    return sum;
  });
  const outputs = Float32Array.from({ length: heads * tokens * channels }, (_, at) => {
    const [h, j, c] = [
      Math.floor(at / (tokens * channels)),
      Math.floor(at / channels) % tokens,
      at % channels,
    ];
    return f[(j * heads + h) * channels + c]!;
  });
  const residMid = Float64Array.from(y);
  return {
    tokens,
    heads,
    channels,
    headSize,
    f,
    trace: {
      residPre: Float64Array.from(x),
      qkv: Float64Array.from(qkv),
      patterns,
      z: mixValues(patterns, qkv, { heads, channels }),
      residMid,
      hidden: residMid,
      residPost: residMid,
    },
    mlpBlock: (mid) => Float64Array.from(mid),
    qkv: Float32Array.from([...new Float32Array(SLOT * 3 * channels), ...qkv]),
    w,
    x,
    y,
    packed: packTriangles(patterns, { count: heads, tokens, stride }),
    outputs,
    stride,
  };
}
