// The first link of the chain: reference data against the float64 reference that the kernels are tested against.
import { assertClose } from "../support/assert_close.ts";
import { BUNDLED, readReference, TINY } from "../support/fixtures.ts";
import { flow } from "./flow.ts";
import { forward } from "./gpt2.ts";
import { readModel } from "../support/read_model.ts";

for (
  const [directory, names] of [
    [TINY, ["tiny/T2", "tiny/T5", "tiny/T14", "tiny/T65"]],
    [BUNDLED, ["bundled/one", "bundled/cart"]],
  ] as const
) {
  for (const name of names) {
    Deno.test(`float64 GPT-2 and flows agree with ${name}`, async () => {
      const { architecture, weights } = await readModel(directory);
      const { ids, tensors } = await readReference(name);
      const { layers, heads } = architecture;
      const traces = forward(architecture, weights, ids);
      const patterns = traces.flatMap(({ patterns }) => Array.from(patterns));
      // The reference was computed in float32 and differs from its own float64 by up to 1.7e-6. Measured: 1.7e-6.
      assertClose(patterns, tensors.get("patterns")!, { atol: 4e-6 });

      const shape = { layers, heads, tokens: ids.length };
      for (
        const [tensor, byLayer, aggregation, bos] of [
          ["info_flow_by_layer", true, "MEAN", "DROP"],
          ["info_flow_mean", false, "MEAN", "DROP"],
          ["info_flow_notebook", false, "NOTEBOOK", "DROP"],
          ["rollout", false, "ROLLOUT", "KEEP"],
        ] as const
      ) {
        const expected = tensors.get(tensor)!;
        const actual = flow(tensors.get("patterns")!, shape, { byLayer, aggregation, bos });
        // The same patterns, float32 sums there. Measured: 4e-7.
        assertClose(actual.flow, expected, { atol: 1e-6 });
      }
    });
  }
}

Deno.test("float64 GPT-2 agrees with the activations of tiny/T14", async () => {
  const { architecture, weights } = await readModel(TINY);
  const { ids, tensors } = await readReference("tiny/T14.activations");
  const { channels: C } = architecture;
  forward(architecture, weights, ids).forEach((trace, layer) => {
    const part = (index: number): Float64Array =>
      trace.qkv.filter((_, i) => Math.floor(i % (3 * C) / C) === index);
    const steps = {
      resid_pre: trace.residPre,
      q: part(0),
      k: part(1),
      v: part(2),
      z: trace.z,
      resid_mid: trace.residMid,
      mlp_post: trace.hidden,
      resid_post: trace.residPost,
    };
    for (const [name, actual] of Object.entries(steps)) {
      const expected = tensors.get(`${layer}.${name}`)!;
      // Float32 there, with a residual stream of some hundreds. Measured: 1e-4 of 235.
      assertClose(actual, expected, { atol: 2e-5, rtol: 2e-6 });
    }
  });
});
