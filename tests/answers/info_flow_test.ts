import assert from "node:assert/strict";
import { InfoFlow } from "../../src/server/answers/info_flow.ts";
import type { LoadedModel } from "../../src/server/answers/loaded_model.ts";
import { read } from "../../src/server/answers/reading.ts";

Deno.test("an answer of more than 256 MiB is refused before the model is asked", async () => {
  const architecture = { layers: 48, heads: 25, context: 1024 };
  const engine = {
    info: { architecture, fingerprint: "", device: { description: "" } },
    admit: () => {},
    flow: () => Promise.resolve({ cacheHit: true }),
  };
  const model = { name: "large", engine } as unknown as LoadedModel;
  const reading = read([model], { prompt: "word".repeat(1000) });
  const asked = new InfoFlow(reading, { byHead: true, bos: "KEEP" });
  assert.deepEqual(asked.shape, [48, 25, 1001, 1001], "what it is about is said all the same");
  await assert.rejects(() => asked.compute(), {
    code: "MATRIX_TOO_LARGE",
    message: /48 x 25 x 1001 x 1001 numbers .*; ask for fewer layers or heads, or for cells/,
    details: { bytes: 4 * 48 * 25 * 1001 ** 2, limit: 2 ** 28 },
  });
  for (const fewer of [{ layers: [0], heads: [1] }, { cells: 48 }, { layers: [0, 1] }]) {
    const { cacheHit } = await new InfoFlow(reading, { byHead: true, bos: "KEEP", ...fewer })
      .compute();
    assert(cacheHit);
  }
});
