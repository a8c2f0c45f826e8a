import assert from "node:assert/strict";
import { costs } from "../../bench/costs.ts";
import { recordDispatches } from "../../bench/record_dispatches.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { TINY } from "../support/fixtures.ts";

Deno.test("every kernel of a pass and its reduction is recorded, and has a cost", async () => {
  const engine = await createEngine({ directory: TINY, cacheBytes: 0 });
  try {
    const { architecture } = engine.info;
    const ids = Array.from({ length: 20 }, (_, i) => i);
    const options = { byLayer: true, aggregation: "ROLLOUT", bos: "DROP" } as const;
    const recorded = await recordDispatches(async () => void await engine.flow(ids, options));
    assert.deepEqual(
      [...recorded].map(([label, { dispatches }]) => [label, dispatches.length]),
      [
        ["norm_rows", 5],
        ["linear_broadcast", 9],
        ["attention_broadcast", 3],
        ["mix_values_wide", 2],
        ["head_mean", 1],
        ["rollout", 3],
        ["flow", 1],
      ],
    );
    for (const label of recorded.keys()) {
      const { flops, bytes } = costs(label, architecture, ids.length);
      assert(flops > 0 && bytes > 0, label);
    }
  } finally {
    engine.destroy();
  }
});

Deno.test("the linears' cost is counted by hand", () => {
  const architecture = { layers: 2, heads: 2, channels: 8, inner: 20 } as never;
  // One whole layer, then queries and keys.
  const weights = 8 * 24 + 8 * 8 + 8 * 20 + 20 * 8 + 8 * 16;
  assert.equal(costs("linear_broadcast", architecture, 3).flops, 2 * 3 * weights);
});
