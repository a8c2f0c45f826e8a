/** How often something was done on a device. */
export interface GpuCalls {
  pipelines: number;
  bindGroups: number;
  buffers: number;
  textures: number;
  dispatches: number;
  submissions: number;
  readbacks: number;
}

/** Counts what is done on devices of this thread while `use` runs. */
export async function countGpuCalls(use: () => Promise<void>): Promise<GpuCalls> {
  const calls: GpuCalls = {
    pipelines: 0,
    bindGroups: 0,
    buffers: 0,
    textures: 0,
    dispatches: 0,
    submissions: 0,
    readbacks: 0,
  };
  const restore: (() => void)[] = [];
  // deno-lint-ignore no-explicit-any -- any method of any prototype
  const count = (prototype: any, name: string, key: keyof GpuCalls): void => {
    const original = prototype[name];
    prototype[name] = function (...args: unknown[]): unknown {
      calls[key]++;
      return original.apply(this, args);
    };
    restore.push(() => prototype[name] = original);
  };
  count(GPUDevice.prototype, "createComputePipelineAsync", "pipelines");
  count(GPUDevice.prototype, "createBindGroup", "bindGroups");
  count(GPUDevice.prototype, "createBuffer", "buffers");
  count(GPUDevice.prototype, "createTexture", "textures");
  count(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
  count(GPUQueue.prototype, "submit", "submissions");
  count(GPUBuffer.prototype, "mapAsync", "readbacks");
  try {
    await use();
  } finally {
    for (const undo of restore) undo();
  }
  return calls;
}

/** Counts the bytes that are read back from devices of this thread while `use` runs. */
export async function countReadBytes(use: () => Promise<void>): Promise<number> {
  const { getMappedRange } = GPUBuffer.prototype;
  let bytes = 0;
  GPUBuffer.prototype.getMappedRange = function (offset, size): ArrayBuffer {
    const range = getMappedRange.call(this, offset, size);
    bytes += range.byteLength;
    return range;
  };
  try {
    await use();
  } finally {
    GPUBuffer.prototype.getMappedRange = getMappedRange;
  }
  return bytes;
}
