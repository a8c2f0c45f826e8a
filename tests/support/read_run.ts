import { keptAt, type SiteOfLayer } from "../../src/engine/activations/kept_sites.ts";
import { unpackTriangles } from "../../src/engine/activations/packed_triangles.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Intervention } from "../../src/requests/interventions/intervention.ts";

/** What a run leaves. */
export interface ReadRun {
  /** (T, C) of each site, in the order in which they were named. */
  readonly sites: readonly Float32Array[];
  /** (L, H, T, T) */
  readonly patterns: Float32Array;
  readonly cacheHit: boolean;
}

/** Runs a prompt and reads what is left at some sites, and all patterns. */
export async function readRun(
  engine: Engine,
  ids: readonly number[],
  { interventions = [], keep = [] }: {
    readonly interventions?: readonly Intervention[];
    readonly keep?: readonly SiteOfLayer[];
  },
): Promise<ReadRun> {
  const { channels: C, layers, heads } = engine.info.architecture;
  const tokens = ids.length;
  return await engine.run([{ ids, interventions }], { keep }, async (run) => {
    const { activations, cacheHit } = run.prompts[0]!;
    const rows = await run.read({
      result: keep.flatMap((site) =>
        ids.map((_, row) => ({ texture: keptAt(activations, site), row, bytes: 4 * C }))
      ),
    });
    const packed = await run.read({
      result: activations.slabs.map(({ buffer }) => ({ buffer, bytes: buffer.size })),
    });
    const { stride } = activations;
    return {
      sites: keep.map((_, at) => rows.slice(at * tokens * C, (at + 1) * tokens * C)),
      patterns: unpackTriangles(packed, { count: layers * heads, tokens, stride }),
      cacheHit,
    };
  });
}
