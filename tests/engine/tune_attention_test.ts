import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { readArchitecture } from "../../src/checkpoints/checkpoint.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { AttentionRows } from "../../src/engine/kernels/attention_rows.ts";
import { defineAttending } from "../../src/engine/kernels/attention_pattern.ts";
import { type AttentionKernels, AttentionTrial } from "../../src/engine/model/attention_trial.ts";
import { MixTiles } from "../../src/engine/kernels/mix_tiles.ts";
import { GPU_ATTENTION, tuneAttention } from "../../src/engine/tune_attention.ts";
import type { KeptChoices } from "../../src/engine/tuning.ts";
import { assertClose } from "../support/assert_close.ts";
import { readReference, TINY } from "../support/fixtures.ts";
import { withGpu } from "../support/gpu.ts";

/** Choices in memory. */
class Kept implements KeptChoices {
  readonly choices: Record<string, string> = {};
  read(): Promise<Record<string, string>> {
    return Promise.resolve(this.choices);
  }
  keep(_: string, choices: Readonly<Record<string, string>>): Promise<void> {
    Object.assign(this.choices, choices);
    return Promise.resolve();
  }
}

/** The adapter here as it would be if it were a GPU. */
function asGpu(gpu: Gpu): Gpu {
  return { ...gpu, info: { ...gpu.info, isFallback: false } };
}

for (const kernels of GPU_ATTENTION) {
  const { attending, mixing } = kernels;
  Deno.test(`a trial finds ${attending.name} and ${mixing.name} right, and times them`, () =>
    withGpu(async ({ device }) => {
      const shape = { heads: 3, channels: 60, tokens: 133 };
      using trial = await AttentionTrial.create(device, kernels, shape);
      assert(await trial.isRight());
      const { attend, mix } = await trial.time();
      assert(attend > 0 && mix > 0);
    }));
}

for (const attention of GPU_ATTENTION) {
  const names = `${attention.attending.name} and ${attention.mixing.name}`;
  Deno.test(`an engine with ${names} agrees with the reference, and a beginning is the same to the bit`, async () => {
    const engine = await createEngine({ directory: TINY, cacheBytes: 0, attention });
    try {
      for (const name of ["tiny/T5", "tiny/T65"]) {
        const { ids, tensors } = await readReference(name);
        const patterns = await engine.patterns(ids);
        assertClose(patterns, tensors.get("patterns")!, { atol: 1e-5 });
        const tokens = ids.length - 2;
        const beginning = await engine.patterns(ids.slice(0, tokens));
        for (let at = 0; at < beginning.length; at += tokens) {
          const [square, row] = [Math.floor(at / tokens ** 2), at / tokens % tokens];
          const from = (square * ids.length + row) * ids.length;
          assert.deepEqual(beginning.slice(at, at + tokens), patterns.slice(from, from + tokens));
        }
      }
    } finally {
      engine.destroy();
    }
  });
}

/** Kernels that would be fast, as they leave something out. */
const WRONG: readonly [name: string, change: (code: string) => string][] = [
  ["writes nothing", (code) => code.replace(/patterns\[[^;]*\] = row;/, "")],
  ["leaves the scale out", (code) => code.replaceAll(" * layer.scale", "")],
  ["forgets some lanes", (code) => code.replaceAll("half /= 2u", "half /= 4u")],
];
for (const [name, change] of WRONG) {
  Deno.test(`an attention kernel that ${name} is not chosen`, () =>
    withGpu(async (gpu) => {
      const code = change(AttentionRows.code);
      assert.notEqual(code, AttentionRows.code);
      const wrong = { attending: defineAttending("wrong", code), mixing: MixTiles };
      const right: AttentionKernels = { attending: AttentionRows, mixing: MixTiles };
      const architecture = await readArchitecture(TINY);
      const kept = new Kept();
      const chosen = await tuneAttention(asGpu(gpu), architecture, { kept }, [wrong, right]);
      assert.equal(chosen, right);
      assert.deepEqual(Object.values(kept.choices), ["attention_rows mix_tiles"]);
      await assert.rejects(
        () => tuneAttention(asGpu(gpu), architecture, { kept: new Kept() }, [wrong]),
        { message: "Cannot use this adapter as it computes no attention right" },
      );
    }));
}

Deno.test("a choice of attention is believed, and made again when asked", () =>
  withGpu(async (gpu) => {
    const architecture = await readArchitecture(TINY);
    const kept = new Kept();
    const first = await tuneAttention(asGpu(gpu), architecture, { kept });
    assert(GPU_ATTENTION.includes(first));
    const [shape] = Object.keys(kept.choices);
    for (const kernels of GPU_ATTENTION) {
      kept.choices[shape!] = `${kernels.attending.name} ${kernels.mixing.name}`;
      assert.equal(await tuneAttention(asGpu(gpu), architecture, { kept }), kernels);
    }
    kept.choices[shape!] = "of another time";
    await tuneAttention(asGpu(gpu), architecture, { kept, redo: true });
    assert.notEqual(kept.choices[shape!], "of another time");
  }));

Deno.test("a software adapter gets its kernels by its kind, and nothing is measured", () =>
  withGpu(async (gpu) => {
    const kept = new Kept();
    const { attending } = await tuneAttention(gpu, await readArchitecture(TINY), { kept });
    assert.equal(attending.name, "attention_broadcast");
    assert.deepEqual(kept.choices, {});
  }));
