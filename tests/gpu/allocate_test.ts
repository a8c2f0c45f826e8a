import assert from "node:assert/strict";
import { allocate, largestStorage } from "../../src/engine/gpu/allocate.ts";
import { GrowingBuffer } from "../../src/engine/gpu/growing_buffer.ts";
import { withGpu } from "../support/gpu.ts";

Deno.test("allocate() throws what the device says of a buffer beyond its limit", () =>
  withGpu(async ({ device }) => {
    const bytes = device.limits.maxBufferSize + 4;
    const usage = GPUBufferUsage.COPY_DST;
    await assert.rejects(() => allocate(device, { label: "giant", bytes, usage }), {
      name: "AllocationError",
      message: /^Cannot allocate giant of [\d,]+ bytes: /,
    });
  }));

Deno.test("allocate() refuses a storage buffer that no binding could hold", () =>
  withGpu(async ({ device }) => {
    const bytes = largestStorage(device) + 4;
    const usage = GPUBufferUsage.STORAGE;
    await assert.rejects(() => allocate(device, { label: "wide", bytes, usage }), {
      name: "AllocationError",
      message: /the device binds no more than [\d,]+ bytes$/,
    });
  }));

Deno.test("allocate() blames each failure on its own buffer when several are made at once", () =>
  withGpu(async ({ device }) => {
    const usage = GPUBufferUsage.COPY_DST;
    const sizes = [4, device.limits.maxBufferSize + 4, 8, device.limits.maxBufferSize + 8];
    const results = await Promise.allSettled(
      sizes.map((bytes) => allocate(device, { label: `of ${bytes}`, bytes, usage })),
    );
    assert.deepEqual(results.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "rejected",
    ]);
  }));

Deno.test("GrowingBuffer keeps its buffer until a larger one is asked for", () =>
  withGpu(async ({ device }) => {
    const growing = new GrowingBuffer(device, "scratch");
    const first = await growing.atLeast(100);
    assert.equal(first.size, 65536);
    assert.equal(await growing.atLeast(65536), first);
    const second = await growing.atLeast(65537);
    assert.notEqual(second, first);
    assert.equal(second.size, 131072);
  }));
