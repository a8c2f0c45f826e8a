/** Gives every device that is opened while `use` runs WebGPU's default limits, whatever its adapter could do. */
export async function withDefaultLimits(use: () => Promise<void>): Promise<void> {
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    const { requiredLimits: _, ...rest } = descriptor ?? {};
    return requestDevice.call(this, rest);
  };
  try {
    await use();
  } finally {
    GPUAdapter.prototype.requestDevice = requestDevice;
  }
}
