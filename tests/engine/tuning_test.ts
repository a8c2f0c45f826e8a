import assert from "node:assert/strict";
import { Engine } from "../../src/engine/engine.ts";
import { TILINGS, tuneLinears } from "../../src/engine/tuning.ts";
import { readArchitecture } from "../../src/checkpoints/checkpoint.ts";
import { assertClose } from "../support/assert_close.ts";
import { readReference, TINY } from "../support/fixtures.ts";
import { withGpu } from "../support/gpu.ts";

async function withFile(use: (file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    await use(`${directory}/cache/tuning.json`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const SHAPES = ["40x120", "40x40", "40x160", "160x40"];
const VARIANTS = TILINGS.map(({ kernel }) => kernel.name);

Deno.test("a choice is measured once, kept, taken from the file, and made again when asked", () =>
  withFile(async (file) => {
    const architecture = await readArchitecture(TINY);
    await withGpu(async (gpu) => {
      const measured = await tuneLinears(gpu, architecture, { file });
      assert.deepEqual(Object.keys(measured.choices), SHAPES);
      assert(Object.values(measured.choices).every((variant) => VARIANTS.includes(variant)));
      const text = await Deno.readTextFile(file);

      // What stands in the file is believed, also where measuring would say otherwise.
      for (const variant of VARIANTS) {
        await Deno.writeTextFile(file, text.replaceAll(/"linear_\w+"/g, `"${variant}"`));
        const { choices, kernelFor } = await tuneLinears(gpu, architecture, { file });
        assert.deepEqual(Object.values(choices), SHAPES.map(() => variant));
        assert.equal(kernelFor(40, 160).name, variant);
      }
      const wrong = text.replaceAll(/"linear_\w+"/g, `"linear_of_another_time"`);
      await Deno.writeTextFile(file, wrong);
      assert.deepEqual(
        Object.keys((await tuneLinears(gpu, architecture, { file })).choices),
        SHAPES,
      );
      await tuneLinears(gpu, architecture, { file, redo: true });
      assert(!(await Deno.readTextFile(file)).includes("another_time"));
    });
  }));

Deno.test("a file that is no JSON, or can't be written, is no obstacle", () =>
  withFile(async (file) => {
    const architecture = await readArchitecture(TINY);
    await withGpu(async (gpu) => {
      await tuneLinears(gpu, architecture, { file });
      await Deno.writeTextFile(file, "{ broken");
      assert.deepEqual(
        Object.keys((await tuneLinears(gpu, architecture, { file })).choices),
        SHAPES,
      );
      const nowhere = `${file}/below/a/file.json`;
      await tuneLinears(gpu, architecture, { file: nowhere });
    });
  }));

Deno.test("without a file nothing is measured", async () => {
  const architecture = await readArchitecture(TINY);
  await withGpu(async (gpu) => {
    const { choices } = await tuneLinears(gpu, architecture, {});
    assert.equal(new Set(Object.values(choices)).size, 1);
  });
});

for (const variant of VARIANTS) {
  Deno.test(`an engine whose linears are all ${variant} agrees with the reference`, () =>
    withFile(async (file) => {
      const architecture = await readArchitecture(TINY);
      await withGpu(async (gpu) => {
        await tuneLinears(gpu, architecture, { file });
      });
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, text.replaceAll(/"linear_\w+"/g, `"${variant}"`));
      const engine = await Engine.create({ directory: TINY, cacheBytes: 0, tuning: { file } });
      try {
        assert.deepEqual(Object.values(engine.info.linears), SHAPES.map(() => variant));
        for (const name of ["tiny/T5", "tiny/T65"]) {
          const { ids, tensors } = await readReference(name);
          const patterns = await engine.patterns(ids);
          assertClose(patterns, tensors.get("patterns")!, { atol: 1e-5 });
        }
      } finally {
        engine.destroy();
      }
    }));
}
