import assert from "node:assert/strict";
import { withGpu } from "../support/gpu.ts";

const ROOT = new URL("../../", import.meta.url);
const names = Array.from(Deno.readDirSync(new URL("shaders/", ROOT)), ({ name }) => name).sort();

for (const name of names) {
  Deno.test(`shaders/${name} is WGSL, says its dispatch, and has a host twin`, () =>
    withGpu(async ({ device }) => {
      const code = await Deno.readTextFile(new URL(`shaders/${name}`, ROOT));
      device.pushErrorScope("validation");
      device.createShaderModule({ label: name, code });
      const error = await device.popErrorScope();
      assert.equal(error?.message, undefined);
      assert.match(code, /^\/\/ \w+: /, "the header begins with the formula");
      assert.match(code, /^\/\/ Dispatch/m);
      const twin = `src/engine/kernels/${name.replace(".wgsl", ".ts")}`;
      assert((await Deno.stat(new URL(twin, ROOT))).isFile);
    }));
}

Deno.test("a shader with a mistake is told from one without", () =>
  withGpu(async ({ device }) => {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: "wrong", code: "fn main() { let x: u32 = 1.5; }" });
    assert.notEqual(await device.popErrorScope(), null);
  }));
