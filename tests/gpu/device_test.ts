import assert from "node:assert/strict";
import { requestGpu } from "../../src/engine/gpu/device.ts";

Deno.test("check() throws what went wrong on the device, once", async () => {
  const gpu = await requestGpu();
  gpu.check();
  gpu.device.createBuffer({
    label: "giant",
    size: gpu.device.limits.maxBufferSize + 4,
    usage: GPUBufferUsage.COPY_DST,
  });
  await gpu.device.queue.onSubmittedWorkDone();
  assert.throws(() => gpu.check(), { message: /^WebGPU: .*greater than the maximum buffer size/ });
  gpu.check();
  gpu.device.destroy();
});

Deno.test("without an adapter the error says which package to install", async () => {
  const { stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "src/cli/flow.ts", "Hello"].toSpliced(
      1,
      0,
      "--allow-read",
      "--allow-env",
    ),
    cwd: new URL("../../", import.meta.url),
    // No Vulkan driver, and no library for the OpenGL that Deno would fall back to.
    env: { VK_DRIVER_FILES: "/nonexistent", DENO_WEBGPU_BACKEND: "vulkan" },
  }).output();
  assert.equal(success, false);
  assert.match(
    new TextDecoder().decode(stderr),
    /^error: Cannot start as WebGPU has no adapter here: install .*mesa-vulkan-drivers/m,
  );
});
