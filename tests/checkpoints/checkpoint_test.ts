import assert from "node:assert/strict";
import { join } from "node:path";
import { LinearKernel } from "../../src/engine/kernels/linear.ts";
import { REGISTERS } from "../../src/engine/kernels/linear_registers.ts";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { loadWeights } from "../../src/engine/model/weights.ts";
import { TINY } from "../support/fixtures.ts";
import { withGpu } from "../support/gpu.ts";
import {
  float32,
  type Tensor,
  tinyConfig,
  tinyTensors,
  withCheckpoint,
} from "../support/write_checkpoint.ts";

const WTE = { name: "wte.weight", shape: [331, 40] };

async function load(directory: string): Promise<string> {
  let fingerprint = "";
  await withGpu(async ({ device }) => {
    await using checkpoint = await openCheckpoint(directory);
    const kernel = await LinearKernel.create(device, REGISTERS);
    const weights = await loadWeights(device, { checkpoint, kernelFor: () => kernel });
    fingerprint = weights.fingerprint;
  });
  return fingerprint;
}

/** The tiny model with its float32 tensors stored in another dtype of 2 bytes. */
function halved(
  tensors: ReadonlyMap<string, Tensor>,
  dtype: string,
  convert: (numbers: Float32Array) => Uint16Array | Float16Array,
): Map<string, Tensor> {
  return new Map([...tensors].map(([name, tensor]) => {
    if (tensor.dtype !== "F32") return [name, tensor];
    const numbers = new Float32Array(tensor.bytes.slice().buffer);
    const bytes = new Uint8Array(convert(numbers).buffer);
    return [name, { ...tensor, dtype, bytes }];
  }));
}

Deno.test("openCheckpoint() takes names with and without transformer., a tied lm_head, and attn.bias masks", async () => {
  const plain = await tinyTensors();
  assert(
    plain.has("h.0.attn.bias") || plain.has("transformer.h.0.attn.bias"),
    "the fixture has masks",
  );
  const prefixed = new Map(
    [...plain].map(([name, tensor]) => [`transformer.${name.replace("transformer.", "")}`, tensor]),
  );
  const wte = plain.get("wte.weight") ?? plain.get("transformer.wte.weight")!;
  prefixed.set("lm_head.weight", wte);
  const expected = await load(TINY);
  await withCheckpoint({ tensors: prefixed }, async (directory) => {
    assert.equal(await load(directory), expected, "the same weights have the same fingerprint");
  });
});

Deno.test("openCheckpoint() reads F16 and BF16", async () => {
  const tensors = await tinyTensors();
  const f16 = halved(tensors, "F16", (numbers) => Float16Array.from(numbers));
  const bf16 = halved(tensors, "BF16", (numbers) => {
    return Uint16Array.from(new Uint32Array(numbers.buffer), (bits) => bits >>> 16);
  });
  for (const halves of [f16, bf16]) {
    await withCheckpoint({ tensors: halves }, async (directory) => {
      await using exact = await openCheckpoint(TINY);
      await using checkpoint = await openCheckpoint(directory);
      const expected = await exact.read(WTE);
      const actual = await checkpoint.read(WTE);
      // BF16 was cut to 8 bits of precision here, F16 has 11.
      actual.forEach((v, i) =>
        assert(Math.abs(v - expected[i]!) <= 2 ** -7 * Math.abs(expected[i]!) + 1e-7)
      );
    });
  }
});

Deno.test("openCheckpoint() names the file that is missing", async () => {
  await assert.rejects(() => openCheckpoint("/nowhere"), {
    message: /\/nowhere .* config.json is missing/,
  });
  await withCheckpoint({}, async (directory) => {
    await Deno.remove(join(directory, "model.safetensors"));
    await assert.rejects(() => openCheckpoint(directory), {
      message: /model.safetensors is missing/,
    });
    await Deno.remove(join(directory, "config.json"));
    await assert.rejects(() => openCheckpoint(directory), { message: /config.json is missing/ });
  });
});

Deno.test("openCheckpoint() names a missing tensor", async () => {
  const tensors = await tinyTensors();
  for (const name of tensors.keys()) if (name.endsWith("h.1.mlp.c_fc.bias")) tensors.delete(name);
  await withCheckpoint({ tensors }, async (directory) => {
    await assert.rejects(() => openCheckpoint(directory), {
      name: "RangeError",
      message: /no tensor h\.1\.mlp\.c_fc\.bias/,
    });
  });
});

Deno.test("openCheckpoint() names a misshapen tensor and both shapes", async () => {
  await withCheckpoint(
    { config: { ...await tinyConfig(), vocab_size: 330 } },
    async (directory) => {
      await assert.rejects(() => openCheckpoint(directory), {
        name: "RangeError",
        message: /shape of wte\.weight must be \[330, 40\] .*: current value is \[331, 40\]/,
      });
    },
  );
});

Deno.test("openCheckpoint() names a tensor of a dtype that is no float", async () => {
  const tensors = await tinyTensors();
  const name = [...tensors.keys()].find((it) => it.endsWith("ln_f.bias"))!;
  tensors.set(name, { dtype: "I8", shape: [40], bytes: new Uint8Array(40) });
  await withCheckpoint({ tensors }, async (directory) => {
    await assert.rejects(() => openCheckpoint(directory), {
      name: "RangeError",
      message: /dtype of ln_f\.bias .*: current value is I8/,
    });
  });
});

for (const bad of [NaN, Infinity, -Infinity]) {
  Deno.test(`loadWeights() names a tensor that holds ${bad}, and where`, async () => {
    const tensors = await tinyTensors();
    const name = [...tensors.keys()].find((it) => it.endsWith("h.2.ln_1.weight"))!;
    const numbers = new Float32Array(40).fill(1);
    numbers[17] = bad;
    tensors.set(name, float32([40], numbers));
    await withCheckpoint({ tensors }, async (directory) => {
      await assert.rejects(() => load(directory), {
        name: "RangeError",
        message: new RegExp(`h\\.2\\.ln_1\\.weight must be finite: current value at 17 is ${bad}`),
      });
    });
  });
}

Deno.test("openCheckpoint() refuses a cut file with the loader's code", async () => {
  await withCheckpoint({}, async (directory) => {
    const path = join(directory, "model.safetensors");
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size - 1);
    await assert.rejects(() => openCheckpoint(directory), {
      message: /Cannot load .*model\.safetensors as it is damaged: .* \(MetadataIncompleteBuffer\)/,
    });
  });
});
