import assert from "node:assert/strict";
import { GatherRows } from "../../src/engine/kernels/gather_rows.ts";
import { Activations, run, withGpu } from "../support/gpu.ts";

for (
  const { channels, sources } of [
    { channels: 4, sources: [0] },
    { channels: 20, sources: [3, 3, 0, 1, 4] },
    { channels: 132, sources: Array.from({ length: 65 }, (_, row) => 64 - row) },
  ]
) {
  Deno.test(`gather_rows, ${sources.length} rows of ${channels} channels`, () =>
    withGpu(async (gpu) => {
      const rows = Math.max(...sources) + 1;
      const x = Float32Array.from({ length: rows * channels }, (_, i) => i);
      const words = Uint32Array.from(sources);
      const table = gpu.device.createBuffer({
        label: "sources",
        size: 256 + words.byteLength,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      });
      gpu.device.queue.writeBuffer(table, 256, words);
      const kernel = await GatherRows.create(gpu.device, { channels });
      const y = await Activations.create(gpu, { rows: sources.length + 1, columns: channels });
      const operands = kernel.bind({
        x: (await Activations.create(gpu, { rows, columns: channels }, x)).view,
        y: y.view,
      });
      const bound = kernel.bind({ sources: { buffer: table, size: words.byteLength } });
      await run(
        gpu,
        (pass) => kernel.dispatch(pass, [[operands], [bound, 256]], { rows: sources.length }),
      );
      const actual = await y.download();
      const wanted = sources.flatMap((row) =>
        Array.from(x.subarray(row * channels, (row + 1) * channels))
      );
      assert.deepEqual(Array.from(actual.subarray(0, wanted.length)), wanted);
      assert(actual.subarray(wanted.length).every(Number.isNaN), "another row was written to");
    }));
}
