import assert from "node:assert/strict";
import { Kernel, read, readWrite, uniform } from "../../src/engine/gpu/kernel.ts";
import { output, withGpu } from "../support/gpu.ts";

const code = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = x[0]; }
`;
const spec = { label: "copy", code, constants: {}, groups: [["read", "readWrite"]] as const };

Deno.test("Kernel.bind() says what it takes and what it got", () =>
  withGpu(async (gpu) => {
    const kernel = await Kernel.create(gpu.device, spec);
    const buffer = output(gpu, 4);
    const message = (got: string): string =>
      `Cannot bind group 0 of copy as it takes (read, readWrite): current value is (${got})`;
    assert.throws(() => kernel.bind(0, [read(buffer)]), {
      name: "TypeError",
      message: message("read"),
    });
    assert.throws(() => kernel.bind(0, [readWrite(buffer), read(buffer)]), {
      name: "TypeError",
      message: message("readWrite, read"),
    });
    assert.throws(() => kernel.bind(0, [uniform(buffer), readWrite(buffer)]), {
      name: "TypeError",
      message: message("uniform, readWrite"),
    });
  }));

Deno.test("Kernel.bind() refuses a range outside its buffer", () =>
  withGpu(async (gpu) => {
    const kernel = await Kernel.create(gpu.device, spec);
    const buffer = output(gpu, 4);
    assert.throws(() => kernel.bind(0, [read(buffer, { size: 20 }), readWrite(buffer)]), {
      name: "RangeError",
      message: "Cannot bind test input to copy as it has 16 bytes: current value is 20 at 0",
    });
  }));

Deno.test("Kernel.create() passes on the compiler's words", () =>
  withGpu(async ({ device }) => {
    const wrong = { ...spec, code: "fn main() { let x: u32 = 1.5; }" };
    await assert.rejects(() => Kernel.create(device, wrong), {
      name: "SyntaxError",
      message: /^Cannot compile copy: /,
    });
  }));

Deno.test("Kernel.create() refuses a layout that is not the shader's", () =>
  withGpu(async ({ device }) => {
    const wrong = { ...spec, groups: [["readWrite"]] as const };
    await assert.rejects(() => Kernel.create(device, wrong), { name: "GPUPipelineError" });
  }));
