import { tableFromIPC } from "@uwdata/flechette";
import { failureOf, gone } from "./failure.ts";
import type { Problem } from "./graphql.ts";

/** Matrices of one prompt, all of P targets and P sources. */
export interface Matrices {
  /** The labels of both axes, in order. */
  readonly tokens: readonly string[];
  /** Panels before targets before sources, row-major: a view of the bytes that came. */
  readonly values: Float32Array;
  /** Panels before targets: the share that BOS had, where it was dropped. */
  readonly dropped: Float32Array;
  /** P. */
  readonly positions: number;
  /** How many matrices there are. */
  readonly panels: number;
  /** How many neighbouring positions share a cell; not given: none do. */
  readonly pool?: number;
}

/** One (P, P) matrix. */
export interface Matrix {
  readonly tokens: readonly string[];
  readonly values: Float32Array;
  readonly dropped: Float32Array;
  readonly positions: number;
  /** How many neighbouring positions share a cell: the mean over targets of the sum over sources. */
  readonly pool?: number;
  /** Whether its numbers are differences, which may be negative. */
  readonly isChange?: boolean;
}

const panels = new WeakMap<Matrices, Matrix[]>();

/** The matrices one by one, the same objects each time; no number is copied. */
export function panelsOf(matrices: Matrices): readonly Matrix[] {
  const known = panels.get(matrices);
  if (known) return known;
  const { tokens, positions, pool = 1 } = matrices;
  const size = positions * positions;
  const all = Array.from({ length: matrices.panels }, (_, panel) => ({
    tokens,
    positions,
    pool,
    values: matrices.values.subarray(panel * size, (panel + 1) * size),
    dropped: matrices.dropped.subarray(panel * positions, (panel + 1) * positions),
  }));
  panels.set(matrices, all);
  return all;
}

/**
 * Fetches an Arrow stream of rows as the API lays them out.
 *
 * @throws {Failure} If there is none.
 */
export async function fetchMatrices(request: Request, signal: AbortSignal): Promise<Matrices> {
  const response = await fetch(request, { signal }).catch((error) => {
    throw signal.aborted ? error : gone();
  });
  if (!response.ok) {
    const { status } = response;
    const { code = "", title }: Problem = await response.json().catch(() => ({}));
    const message = title ?? `The server answers ${status}`;
    throw failureOf({ code, message, status, retryAfter: response.headers.get("retry-after") });
  }
  const bytes = await response.arrayBuffer().catch((error) => {
    throw signal.aborted ? error : gone();
  });
  return readMatrices(bytes);
}

/** Reads an Arrow stream of rows: `flow` is the numbers, the metadata has the labels. */
function readMatrices(bytes: ArrayBuffer): Matrices {
  const table = tableFromIPC(bytes);
  const metadata = JSON.parse(table.schema.metadata?.get("infoflow") ?? "{}");
  const positions: number = metadata.shape.at(-1);
  const numbers = (name: string, width: number): Float32Array => {
    const batch = table.getChild(name)?.data[0];
    const buffer = (batch?.children?.[0] ?? batch)?.values as Float32Array | undefined;
    // A buffer may be padded beyond the rows.
    return buffer?.subarray(0, table.numRows * width) ?? new Float32Array(table.numRows * width);
  };
  const values = numbers("flow", positions);
  return {
    tokens: metadata.tokens,
    values,
    dropped: numbers("dropped", 1),
    positions,
    panels: values.length / (positions * positions),
  };
}
