/**
 * Dawn, Chrome's implementation of WebGPU, compiles every kernel as it is declared. Its null back end needs no driver: it
 * reads WGSL and checks pipelines against the standard, which Deno's wgpu does in another way.
 */
import assert from "node:assert/strict";
import { create } from "webgpu";
import { Kernel } from "../../src/engine/gpu/kernel.ts";
import { HALF_TILINGS } from "../../src/engine/tuning.ts";
import {
  type AnyKernelDefinition,
  kernelDefinition,
  SHADERS,
} from "../support/kernel_definitions.ts";

/** Compiles a kernel with its own groups, every `override` being some small size. */
async function compileOn(
  device: GPUDevice,
  { name, code, groups }: AnyKernelDefinition,
): Promise<void> {
  const overrides = code.matchAll(/^override (\w+): \w+;/gm);
  const constants = Object.fromEntries(Array.from(overrides, ([, it]) => [it!, 8]));
  await Kernel.compile(device, { name, code, constants, groups }, () => [1]);
}

/** Kept as long as its devices live: Dawn crashes where it is collected before them. */
const dawn = create(["backend=null"]);

async function withDawn(use: (device: GPUDevice) => Promise<void>): Promise<void> {
  const adapter = await dawn.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: ["subgroups"] }) as GPUDevice;
  await use(device);
  device.destroy();
}

Deno.test("Dawn compiles every kernel, without a warning", () =>
  withDawn(async (device) => {
    const halves = HALF_TILINGS.flatMap(({ kernel, thin }) =>
      thin ? [kernel, thin.kernel] : kernel
    );
    const definitions = [...await Promise.all(SHADERS.map(kernelDefinition)), ...halves];
    for (const definition of definitions as AnyKernelDefinition[]) {
      const stem = definition.name;
      const info = await device.createShaderModule({ code: definition.code }).getCompilationInfo();
      assert.deepEqual(Array.from(info.messages, ({ message }) => `${stem}: ${message}`), []);
      await compileOn(device, definition);
    }
  }));

Deno.test("Dawn refuses a shader with a mistake, and groups that are not the shader's", () =>
  withDawn(async (device) => {
    const norm = await kernelDefinition("norm");
    const code = norm.code.replace("let mean", "mean");
    await assert.rejects(() => compileOn(device, { ...norm, code }), { name: "SyntaxError" });
    const groups = [{ ...norm.groups[0], y: "readTexture" }] as const;
    await assert.rejects(() => compileOn(device, { ...norm, groups }), /access/);
  }));
