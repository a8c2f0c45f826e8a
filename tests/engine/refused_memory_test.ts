// Memory that the device refuses: what was made on the way is given back, however often it is tried.
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { allocatedBytes } from "../../src/engine/gpu/allocate.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { TINY } from "../support/fixtures.ts";

const IDS = [5, 17, 3, 90, 41, 200, 7];
const ZEROING: FlowOptions = {
  byLayer: true,
  aggregation: "MEAN",
  bos: "DROP",
  method: "VALUE_ZEROING",
};
type Ask = (engine: Engine) => Promise<unknown>;
const next: Ask = (engine) => engine.ask("nextTokens", { ids: IDS, k: 3 });
const zeroing: Ask = (engine) => engine.flow(IDS, ZEROING);

/** Has textures of a name refused, as they are by a device that is full. */
async function refusing(name: string, use: () => Promise<void>): Promise<void> {
  const { createTexture } = GPUDevice.prototype;
  GPUDevice.prototype.createTexture = function (descriptor) {
    const size = descriptor.label === name ? [2 ** 24, 1] : descriptor.size;
    return createTexture.call(this, { ...descriptor, size });
  };
  try {
    await use();
  } finally {
    GPUDevice.prototype.createTexture = createTexture;
  }
}

for (
  const [name, ask] of [
    ["rows of the residual stream", next],
    ["normed rows", next],
    ["logits", next],
    ["RESID_PRE.3", next],
    ["attention output matrices", zeroing],
    ["identity matrix", zeroing],
    ["zeros", zeroing],
    ["head outputs", zeroing],
    ["normed zeroed streams", zeroing],
    ["zeroed streams after the MLP", zeroing],
  ] as const
) {
  Deno.test(`where "${name}" is refused nothing stays behind, and later it is answered`, async () => {
    const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24 });
    try {
      const held: number[] = [];
      await refusing(name, async () => {
        for (let attempt = 0; attempt < 3; attempt++) {
          await assert.rejects(() => ask(engine), {
            code: "MATRIX_TOO_LARGE",
            message: new RegExp(`Cannot allocate ${name} of .*; ask with a shorter prompt`),
          });
          held.push(allocatedBytes());
        }
      });
      assert.deepEqual(held, [held[0], held[0], held[0]]);
      await ask(engine);
    } finally {
      engine.destroy();
    }
  });
}

Deno.test("prompts are evicted for what the device refuses, one after the other", async () => {
  const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24 });
  try {
    const options: FlowOptions = { ...ZEROING, method: undefined };
    for (let first = 0; first < 4; first++) await engine.flow([first, ...IDS], options);
    const { createTexture } = GPUDevice.prototype;
    let refusals = 3;
    GPUDevice.prototype.createTexture = function (descriptor) {
      const isRefused = descriptor.label === "logits" && refusals-- > 0;
      return createTexture.call(
        this,
        isRefused ? { ...descriptor, size: [2 ** 24, 1] } : descriptor,
      );
    };
    try {
      await next(engine);
    } finally {
      GPUDevice.prototype.createTexture = createTexture;
    }
    assert.equal(engine.cacheStats.evictions, 3);
    assert.equal(engine.cacheStats.entries, 4 - 3 + 1);
  } finally {
    engine.destroy();
  }
});

Deno.test("memory that waits for the next prompts of a job is given back where the device refuses", async () => {
  const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24 });
  try {
    const options: FlowOptions = { ...ZEROING, method: undefined };
    const requests = [0, 1, 2].map((first) => ({ ids: [first, ...IDS], options }));
    await engine.flows(requests, { cache: "none" });
    const before = allocatedBytes();
    await refusing("head outputs", async () => {
      await assert.rejects(() => zeroing(engine), { code: "MATRIX_TOO_LARGE" });
    });
    assert(allocatedBytes() < before, `${allocatedBytes()} of ${before} bytes`);
    assert.equal(engine.cacheStats.entries, 0);
  } finally {
    engine.destroy();
  }
});
