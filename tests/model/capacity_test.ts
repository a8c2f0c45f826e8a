import assert from "node:assert/strict";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { parseArchitecture } from "../../src/requests/architecture/architecture.ts";
import { checkCapacity } from "../../src/engine/model/capacity.ts";
import { withGpu } from "../support/gpu.ts";

const XL = { n_layer: 48, n_head: 25, n_embd: 1600, n_positions: 1024, vocab_size: 50257 };

function check(gpu: Gpu, sizes: Record<string, number> = {}): Promise<void> {
  const config = { model_type: "gpt2", ...XL, ...sizes };
  return checkCapacity(gpu, parseArchitecture(JSON.stringify(config)));
}

/** Says that the machine has so much memory for as long as `use` runs. */
async function withMemory(available: number, use: () => Promise<void>): Promise<void> {
  const { systemMemoryInfo } = Deno;
  const info = systemMemoryInfo();
  Deno.systemMemoryInfo = () => ({ ...info, available });
  try {
    await use();
  } finally {
    Deno.systemMemoryInfo = systemMemoryInfo;
  }
}

Deno.test("checkCapacity() lets gpt2-xl pass where there is memory for it", () =>
  withMemory(16e9, () => withGpu((gpu) => check(gpu))));

Deno.test("checkCapacity() says what a software adapter would need, and what the machine has", () =>
  withMemory(
    4e9,
    () =>
      withGpu(({ device, check: _, info }) =>
        assert.rejects(() => check({ device, check: _, info: { ...info, isFallback: true } }), {
          name: "RangeError",
          message:
            "Cannot run this model as this adapter can't hold it: it needs 6.53 GB of memory, this machine has 4.00 GB left",
        })
      ),
  ));

Deno.test("checkCapacity() finds out what a GPU has", () =>
  withMemory(16e9, () =>
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
    })));

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
    withMemory(1e15, () => withGpu((gpu) => assert.rejects(() => check(gpu, sizes), { message }))));
}
