import type { Architecture } from "../src/requests/architecture/architecture.ts";
import { rowStart } from "../src/engine/activations/packed_triangles.ts";

/** What a kernel has to do at least. */
export interface Cost {
  /** Multiplications and additions, without those of softmax and norms, which are few. */
  readonly flops: number;
  /** Bytes that it must read or write, each once. */
  readonly bytes: number;
}

const FLOAT = 4;

/** The cost of all dispatches of a kernel in one forward pass of T tokens and the reduction by layer. */
export function costs(kernel: string, architecture: Architecture, T: number): Cost {
  const { layers: L, heads: H, channels: C, inner } = architecture;
  const triangle = 4 * rowStart(T); // numbers of a packed pattern
  const seen = T * (T + 1) / 2; // pairs of a target and a source that it sees
  switch (kernel) {
    case "linear_broadcast":
    case "linear_registers":
    case "linear_thin":
    case "linear_tiles":
    case "linear_tiles_128": {
      // The last layer makes queries and keys only.
      const perLayer = [[C, 3 * C], [C, C], [C, inner], [inner, C]] as const;
      const all = [...Array.from({ length: L - 1 }, () => perLayer).flat(), [C, 2 * C] as const];
      return {
        flops: sum(all, ([K, N]) => 2 * T * K * N),
        bytes: FLOAT * sum(all, ([K, N]) => K * N + T * (K + N)),
      };
    }
    case "attention_broadcast":
    case "attention_pattern":
    case "attention_rows":
    case "attention_subgroups":
      return { flops: L * 2 * C * seen, bytes: FLOAT * L * (2 * T * C + H * triangle) };
    case "mix_broadcast":
    case "mix_values":
    case "mix_values_wide":
    case "mix_tiles":
      return { flops: (L - 1) * 2 * C * seen, bytes: FLOAT * (L - 1) * (2 * T * C + H * triangle) };
    case "norm":
    case "norm_rows":
      return { flops: (2 * L - 1) * 8 * T * C, bytes: FLOAT * (2 * L - 1) * 2 * T * C };
    case "head_mean":
      return { flops: L * H * triangle, bytes: FLOAT * L * (H + 1) * triangle };
    case "rollout":
      // A product of two triangles; the first layer's is the triangle itself.
      return { flops: (L - 1) * T ** 3 / 3, bytes: FLOAT * (3 * L - 2) * triangle };
    case "flow":
      return { flops: 2 * L * seen, bytes: FLOAT * L * (triangle + (T - 1) ** 2) };
    default:
      throw new Error(`Cannot tell the cost of ${kernel}: costs.ts has no formula for it`);
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
