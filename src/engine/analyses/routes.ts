import { InfoflowError } from "../../errors.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { RouteEdge, RouteGraph, RouteNode } from "../../requests/route_graph.ts";
import { keptAt, type SiteOfLayer } from "../activations/kept_sites.ts";
import { rowStart, VEC4 } from "../activations/packed_triangles.ts";
import type { Run } from "../passes/run.ts";
import { RunAnalysis } from "./analysis.ts";

/** The routes to a target, along edges whose share reaches a threshold. */
export interface RoutesQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly target: number;
    readonly threshold: number;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & Omit<RouteGraph, "target">;
}

/** The smallest value of a part, as in `shaders/route_parts.wgsl`. */
const FLOOR = 1e-5;
/** The most edges of an answer. */
const MOST_EDGES = 50_000;

/** What one layer does to one position. */
interface Row {
  /** (H, position + 1): every head's and source's share of the sum after attention. */
  readonly heads: readonly Float64Array[];
  readonly residual: number;
  /** The MLP's share of the sum after it, and the rest. */
  readonly mlp: number;
  readonly mlpResidual: number;
}

/**
 * Follows the routes to a target from the last layer down, along edges whose share of a sum reaches a threshold
 * (information flow routes, Ferrando & Voita 2024).
 */
export class RoutesAnalysis extends RunAnalysis<RoutesQuestion> {
  /** @throws {InfoflowError} MATRIX_TOO_LARGE if there are too many edges. */
  protected override async read(
    run: Run,
    { target, threshold }: RoutesQuestion["argument"],
  ): Promise<Omit<RoutesQuestion["result"], "cacheHit">> {
    const { layers } = this.context.architecture;
    const nodes: RouteNode[] = [];
    const edges: RouteEdge[] = [];
    let above = new Map([[target, 1]]); // shares of the places reached above the layer
    for (let layer = layers - 1; layer >= 0; layer--) {
      const positions = [...above.keys()].sort((a, b) => a - b);
      const rows = await this.#rows(run, layer, positions);
      const below = new Map<number, number>();
      positions.forEach((position, index) => {
        const share = above.get(position)!;
        const { heads, residual, mlp, mlpResidual } = rows[index]!;
        nodes.push({ layer: layer + 1, place: "STREAM", position, share });
        const edge = (kind: RouteEdge["kind"], weight: number): boolean => {
          if (weight < threshold) return false;
          edges.push({ layer, kind, head: null, source: position, target: position, weight });
          return true;
        };
        let middle = 0;
        if (edge("MLP", mlp)) {
          nodes.push({ layer, place: "MLP", position, share: share * mlp });
          middle += share * mlp;
        }
        if (edge("MLP_RESIDUAL", mlpResidual)) middle += share * mlpResidual;
        if (middle === 0) return;
        nodes.push({ layer, place: "MIDDLE", position, share: middle });
        const reach = (source: number, weight: number): void => {
          below.set(source, (below.get(source) ?? 0) + middle * weight);
        };
        if (edge("RESIDUAL", residual)) reach(position, residual);
        heads.forEach((row, head) =>
          row.forEach((weight, source) => {
            if (weight < threshold) return;
            edges.push({ layer, kind: "HEAD", head, source, target: position, weight });
            reach(source, weight);
          })
        );
        if (edges.length > MOST_EDGES) throw tooMany(threshold);
      });
      above = below;
    }
    for (const [position, share] of above) {
      nodes.push({ layer: 0, place: "STREAM", position, share });
    }
    return { nodes, edges };
  }

  /** What a layer does to some positions. */
  async #rows(run: Run, layer: number, positions: readonly number[]): Promise<Row[]> {
    const { architecture: { heads, channels }, forward, methods } = this.context;
    const prompt = run.prompts[0]!;
    const { ids, activations } = prompt;
    const tokens = ids.length;
    await forward.reserve(tokens);
    const buffer = await methods.routeShares.prepare({ activations, tokens });
    const sites: readonly SiteOfLayer[] = [
      { site: "RESID_PRE", layer },
      { site: "RESID_MID", layer },
      { site: "RESID_POST", layer },
    ];
    const numbers = await run.read({
      fields: [{ prompt }],
      result: positions.flatMap((position) => [
        ...Array.from({ length: heads }, (_, head) => {
          const offset = (head * activations.stride + rowStart(position)) * VEC4;
          return { buffer, offset, bytes: rowBytes(position) };
        }),
        ...sites.map((site) => {
          return { texture: keptAt(activations, site), row: position, bytes: 4 * channels };
        }),
      ]),
      encode: (recorder, [bound]) => {
        forward.bringValues(recorder.encoder, { activations, ids });
        methods.routeShares.encode(recorder.pass, { activations, tokens, prompt: bound! }, layer);
      },
    });
    let at = 0;
    const take = (bytes: number, length: number): Float32Array => {
      const begin = at;
      at += bytes / 4;
      return numbers.subarray(begin, begin + length);
    };
    return positions.map((position) => {
      const parts = Array.from(
        { length: heads },
        () => take(rowBytes(position), position + 1),
      );
      const [before, middle, after] = sites.map(() => take(4 * channels, channels));
      return shares(parts, { before: before!, middle: middle!, after: after! });
    });
  }
}

/** Divides the parts of a position's two sums by these sums. */
function shares(
  parts: readonly Float32Array[],
  { before, middle, after }: Record<"before" | "middle" | "after", Float32Array>,
): Row {
  const kept = Math.max(FLOOR, nearness(before, middle));
  const sum = parts.flatMap((row) => [...row]).reduce((total, part) => total + part, kept);
  const mlp = Math.max(FLOOR, nearness(after.map((v, c) => v - middle[c]!), after));
  const rest = Math.max(FLOOR, nearness(middle, after));
  return {
    heads: parts.map((row) => Float64Array.from(row, (part) => part / sum)),
    residual: kept / sum,
    mlp: mlp / (mlp + rest),
    mlpResidual: rest / (mlp + rest),
  };
}

/** |y| - |y - z|, channel by channel. */
function nearness(z: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let c = 0; c < y.length; c++) sum += Math.abs(y[c]!) - Math.abs(y[c]! - z[c]!);
  return sum;
}

/** Bytes of a row of a packed triangle. */
function rowBytes(position: number): number {
  return (Math.floor(position / 4) + 1) * VEC4;
}

function tooMany(threshold: number): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot list the routes above ${threshold} as there are more than ${
      MOST_EDGES.toLocaleString("en")
    } edges: ask with a higher threshold`,
    { threshold, limit: MOST_EDGES },
  );
}
