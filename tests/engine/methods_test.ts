import { Engine } from "../../src/engine/engine.ts";
import type { Aggregation, Method } from "../../src/flow/definitions.ts";
import { assertClose } from "../support/assert_close.ts";
import { readReference, TINY } from "../support/fixtures.ts";

const MIB = 2 ** 20;

async function withEngine(use: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await Engine.create({ directory: TINY, cacheBytes: 64 * MIB });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

/** Ten times the float32 error that the reference's README states for each. */
const TENSORS: readonly [
  tensor: string,
  method: Method,
  aggregation: Aggregation,
  atol: number,
][] = [
  ["value_norm_rows", "VALUE_NORM", "MEAN", 2e-6],
  ["attn_norm_rows", "ATTENTION_NORM", "MEAN", 2e-6],
  ["attn_res_rows", "ATTENTION_RESIDUAL", "MEAN", 1e-6],
  ["attn_res_rollout", "ATTENTION_RESIDUAL", "ROLLOUT", 1e-6],
  ["alti_rows", "ALTI", "MEAN", 8e-6],
  ["alti", "ALTI", "ROLLOUT", 8e-6],
  ["routes", "ROUTES", "MEAN", 3e-5],
  ["value_zeroing_rows", "VALUE_ZEROING", "MEAN", 6e-6],
];

Deno.test("methods agree with methods/T14, layer by layer", () =>
  withEngine(async (engine) => {
    const { ids, tensors } = await readReference("methods/T14");
    for (const [tensor, method, aggregation, atol] of TENSORS) {
      const options = { byLayer: true, aggregation, bos: "KEEP", method } as const;
      const { flow } = await engine.flow(ids, options);
      assertClose(flow, tensors.get(tensor)!, { atol });
    }
  }));
