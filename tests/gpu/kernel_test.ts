import assert from "node:assert/strict";
import { defineKernel } from "../../src/engine/gpu/define_kernel.ts";
import { download, output, run, upload, withGpu } from "../support/gpu.ts";

const code = `
override FACTOR: f32;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3u) {
  y[group.x] = FACTOR * x[group.x];
}
`;
const spec = {
  name: "scale",
  code,
  constants: ({ factor }: { factor: number }) => ({ FACTOR: factor }),
  groups: [{ x: "read", y: "readWrite" }] as const,
  workgroups: ({ count }: { count: number }) => [count] as const,
};
const Scale = defineKernel(spec);

Deno.test("a kernel binds by name, in any order, and runs as many workgroups as its work takes", () =>
  withGpu(async (gpu) => {
    const kernel = await Scale.create(gpu.device, { factor: 3 });
    const y = output(gpu, 4);
    const group = kernel.bind({ y, x: { buffer: upload(gpu, [1, 2, 3, 4]) } });
    await run(gpu, (pass) => kernel.dispatch(pass, [[group]], { count: 3 }));
    assert.deepEqual(Array.from(await download(gpu, y)), [3, 6, 9, NaN]);
  }));

Deno.test("a kernel is compiled once for a device and its constants", () =>
  withGpu(async ({ device }) => {
    const [first, again, other] = await Promise.all(
      [2, 2, 5].map((factor) => Scale.create(device, { factor })),
    );
    assert.equal(first, again);
    assert.notEqual(first, other);
    await withGpu(async (gpu) => {
      assert.notEqual(await Scale.create(gpu.device, { factor: 2 }), first);
    });
  }));

Deno.test("bind() says what it takes and what it got", () =>
  withGpu(async (gpu) => {
    const kernel = await Scale.create(gpu.device, { factor: 1 });
    const buffer = output(gpu, 4);
    const wrong: Record<string, GPUBuffer>[] = [
      { x: buffer },
      { x: buffer, y: buffer, z: buffer },
      { z: buffer },
    ];
    for (const given of wrong) {
      assert.throws(() => kernel.bind(given as { x: GPUBuffer; y: GPUBuffer }), {
        name: "TypeError",
        message: "Cannot bind a group of scale as its groups are (x, y): " +
          `current value is (${Object.keys(given).join(", ")})`,
      });
    }
  }));

Deno.test("bind() refuses a part outside its buffer", () =>
  withGpu(async (gpu) => {
    const kernel = await Scale.create(gpu.device, { factor: 1 });
    const buffer = output(gpu, 4);
    assert.throws(() => kernel.bind({ x: { buffer, size: 20 }, y: buffer }), {
      name: "RangeError",
      message: "Cannot bind test input to scale as it has 16 bytes: current value is 20 at 0",
    });
  }));

Deno.test("create() passes on the compiler's words, again when it is asked again", () =>
  withGpu(async ({ device }) => {
    const wrong = defineKernel({ ...spec, code: "fn main() { let x: u32 = 1.5; }" });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(() => wrong.create(device, { factor: 1 }), {
        name: "SyntaxError",
        message: /^Cannot compile scale: /,
      });
    }
  }));

Deno.test("create() refuses a layout that is not the shader's", () =>
  withGpu(async ({ device }) => {
    const wrong = defineKernel({ ...spec, groups: [{ x: "readWrite" }] });
    await assert.rejects(() => wrong.create(device, { factor: 1 }), { name: "GPUPipelineError" });
  }));
