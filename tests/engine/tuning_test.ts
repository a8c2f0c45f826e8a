import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { choicesIn } from "../../src/thread/tuning_file.ts";
import { HALF_TILINGS, TILINGS, tuneLinears } from "../../src/engine/tuning.ts";
import { readArchitecture } from "../../src/checkpoints/checkpoint.ts";
import { defineLinear, LinearKernel, type Tiling } from "../../src/engine/kernels/linear.ts";
import { maxAbsDiff } from "../../bench/measure.ts";
import { forward } from "../reference/gpt2.ts";
import { readModel } from "../support/read_model.ts";
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
      const measured = await tuneLinears(gpu, architecture, { kept: choicesIn(file) });
      assert.deepEqual(Object.keys(measured.choices), SHAPES);
      assert(Object.values(measured.choices).every((variant) => VARIANTS.includes(variant)));
      const text = await Deno.readTextFile(file);

      // What stands in the file is believed, also where measuring would say otherwise.
      for (const variant of VARIANTS) {
        await Deno.writeTextFile(file, text.replaceAll(/"linear_\w+"/g, `"${variant}"`));
        const { choices, kernelFor } = await tuneLinears(gpu, architecture, {
          kept: choicesIn(file),
        });
        assert.deepEqual(Object.values(choices), SHAPES.map(() => variant));
        assert.equal(kernelFor(40, 160).name, variant);
      }
      const wrong = text.replaceAll(/"linear_\w+"/g, `"linear_of_another_time"`);
      await Deno.writeTextFile(file, wrong);
      assert.deepEqual(
        Object.keys((await tuneLinears(gpu, architecture, { kept: choicesIn(file) })).choices),
        SHAPES,
      );
      await tuneLinears(gpu, architecture, { kept: choicesIn(file), redo: true });
      assert(!(await Deno.readTextFile(file)).includes("another_time"));
    });
  }));

Deno.test("a file that is no JSON, or can't be written, is no obstacle", () =>
  withFile(async (file) => {
    const architecture = await readArchitecture(TINY);
    await withGpu(async (gpu) => {
      await tuneLinears(gpu, architecture, { kept: choicesIn(file) });
      await Deno.writeTextFile(file, "{ broken");
      assert.deepEqual(
        Object.keys((await tuneLinears(gpu, architecture, { kept: choicesIn(file) })).choices),
        SHAPES,
      );
      const nowhere = `${file}/below/a/file.json`;
      await tuneLinears(gpu, architecture, { kept: choicesIn(nowhere) });
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
        await tuneLinears(gpu, architecture, { kept: choicesIn(file) });
      });
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, text.replaceAll(/"linear_\w+"/g, `"${variant}"`));
      const engine = await createEngine({ directory: TINY, cacheBytes: 0, tuning: { file } });
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

for (const { kernel: { name } } of HALF_TILINGS) {
  Deno.test(`an engine whose linears are all ${name} computes with the rounded weights`, () =>
    withFile(async (file) => {
      const architecture = await readArchitecture(TINY);
      await withGpu(async (gpu) => {
        await tuneLinears(gpu, architecture, { kept: choicesIn(file) }, HALF_TILINGS);
      });
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, text.replaceAll(/"linear_\w+"/g, `"${name}"`));
      const options = { directory: TINY, cacheBytes: 0, tuning: { file } };
      const engine = await createEngine({ ...options, weightType: "f16" });
      const exact = await createEngine(options);
      try {
        assert.deepEqual(Object.values(engine.info.linears), SHAPES.map(() => name));
        assert.equal(engine.info.fingerprint, `${exact.info.fingerprint}-f16`);
        const model = await readModel(TINY);
        const weights = new Map(Array.from(model.weights, ([name, values]) => [
          name,
          /c_(attn|proj|fc)\.weight$/.test(name)
            ? Float32Array.from(new Float16Array(values))
            : values,
        ]));
        for (const name of ["tiny/T5", "tiny/T65"]) {
          const { ids, tensors } = await readReference(name);
          const patterns = await engine.patterns(ids);
          const rounded = forward(architecture, weights, ids).flatMap((it) => [...it.patterns]);
          // As float32 is held against the weights as they are.
          assertClose(patterns, rounded, { atol: 1e-5 });
          // And to those, what the rounding costs. Measured: 8e-4.
          const cost = maxAbsDiff(patterns, tensors.get("patterns")!);
          assert(cost > 1e-5 && cost < 5e-3, `float16 costs ${cost}`);
        }
      } finally {
        engine.destroy();
        exact.destroy();
      }
    }));
}

Deno.test("a weight that float16 can't hold is refused by its name", () =>
  withGpu(async ({ device }) => {
    for (const tiling of HALF_TILINGS) {
      const kernel = await LinearKernel.create(device, tiling);
      const values = new Float32Array(64);
      values[9] = 7e4;
      const shape = { inputs: 4, outputs: 16, epilogue: "store" } as const;
      await assert.rejects(() => kernel.upload("h.0.mlp.c_fc.weight", values, shape), {
        name: "RangeError",
        message:
          /^Cannot keep h\.0\.mlp\.c_fc\.weight as float16 as its largest .*: current value is 70000$/,
      });
    }
  }));

/** Kernels that would be the fastest, as they do nothing, or nothing that is right. */
const WRONG: [name: string, change: (code: string) => string][] = [
  ["writes nothing", (code) => code.replace(/textureStore\([^;]*;/g, "")],
  ["leaves the last rows out", (code) => code.replaceAll("rows.count", "(rows.count - 1u)")],
  ["forgets the bias", (code) => code.replace(/ \+ b\[at\]/, " + 0.0 * b[at]")],
];
for (const [name, change] of WRONG) {
  Deno.test(`a kernel that ${name} is not chosen, however fast it is`, () =>
    withFile(async (file) => {
      const architecture = await readArchitecture(TINY);
      await withGpu(async (gpu) => {
        for (const tiling of TILINGS) {
          const code = change(tiling.kernel.code);
          assert.notEqual(code, tiling.kernel.code);
          const { kernel: { name, groups: [{ w: weights }] }, pack, weights: type } = tiling;
          const rows = Number(name.match(/_(\d+)$/)?.[1] ?? 64);
          const wrong: Tiling = {
            kernel: defineLinear({
              name: `wrong_${name}`,
              code,
              weights,
              ...(code.includes("override ROWS") && { rows }),
            }),
            pack,
            weights: type,
          };
          const kept = choicesIn(file);
          const all = [wrong, ...TILINGS.filter((it) => it !== tiling)];
          const { choices } = await tuneLinears(gpu, architecture, { kept, redo: true }, all);
          assert(!Object.values(choices).some((it) => it.startsWith("wrong")));
          await Deno.remove(file);
          await assert.rejects(() => tuneLinears(gpu, architecture, { kept }, [wrong]), {
            message: "Cannot use this adapter as it computes no product of 40 x 120 right",
          });
          await assert.rejects(() => Deno.stat(file), { name: "NotFound" });
        }
      });
    }));
}
