import assert from "node:assert/strict";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { GPT2 } from "../../src/requests/architecture/gpt2.ts";
import { checkCapacity } from "../../src/engine/model/capacity.ts";
import { withGpu } from "../support/gpu.ts";

const XL = { n_layer: 48, n_head: 25, n_embd: 1600, n_positions: 1024, vocab_size: 50257 };

function check(
  gpu: Gpu,
  sizes: Record<string, number> = {},
  freeMemory: number | undefined = undefined,
): Promise<void> {
  const architecture = GPT2.architectureOf({ model_type: "gpt2", ...XL, ...sizes });
  const tensors = GPT2.tensorsOf(architecture);
  return checkCapacity(gpu, architecture, { tensors, freeMemory });
}

Deno.test("checkCapacity() lets gpt2-xl pass where there is memory for it", () =>
  withGpu((gpu) => check(gpu, {}, 16e9)));

Deno.test("checkCapacity() says what a software adapter would need, and what the machine has", () =>
  withGpu(({ device, check: _, info }) => {
    const gpu = { device, check: _, info: { ...info, isFallback: true } };
    return assert.rejects(() => check(gpu, {}, 4e9), {
      name: "RangeError",
      message:
        "Cannot run this model as this adapter can't hold it: it needs 6.53 GB of memory, this machine has 4.00 GB left",
    });
  }));

Deno.test("checkCapacity() takes half for weights of float16, and the embeddings as they are", () =>
  withGpu(({ device, check: _, info }) => {
    const gpu = { device, check: _, info: { ...info, isFallback: true } };
    const architecture = GPT2.architectureOf({ model_type: "gpt2", ...XL });
    const tensors = GPT2.tensorsOf(architecture);
    return assert.rejects(
      () => checkCapacity(gpu, architecture, { tensors, freeMemory: 3e9, weightType: "f16" }),
      { message: /it needs 3\.43 GB of memory, this machine has 3\.00 GB left$/ },
    );
  }));

Deno.test("checkCapacity() finds out what a GPU has", () =>
  withGpu(async ({ device, check: _, info }) => {
    const { createBuffer } = device;
    let left = 5e9;
    device.createBuffer = function (descriptor) {
      // As a GPU does that is full: the buffer is refused, not the call.
      const size = (left -= descriptor.size) < 0 ? 2 ** 62 : 4;
      return createBuffer.call(this, { ...descriptor, size });
    };
    await assert.rejects(
      () => check({ device, check: _, info: { ...info, isFallback: false } }),
      {
        message: /needs 6\.20 GB of its memory, has about 4\.29 GB left/,
      },
    );
  }));

for (
  const [sizes, message] of [
    [
      { n_embd: 25 * 1024 },
      /needs textures that are wide, of 3 n_embd \/ 4 texels, 19200, has \d+ at most/,
    ],
    [{ n_inner: 400_000 }, /of n_inner \/ 4 texels, 100000, has/],
    [{ n_positions: 100_000 }, /of n_positions texels, 100000, has/],
    [{ n_layer: 3000 }, /needs textures of n_layer layers 3000, has \d+ at most/],
  ] as const
) {
  Deno.test(`checkCapacity() refuses ${JSON.stringify(sizes)} by name`, () =>
    withGpu((gpu) => assert.rejects(() => check(gpu, sizes), { message })));
}
