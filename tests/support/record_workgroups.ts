/** The workgroups of every dispatch of a kernel while `use` runs, on devices of this thread. */
export async function recordWorkgroups(
  kernel: string,
  use: () => Promise<unknown>,
): Promise<readonly number[][]> {
  const { prototype } = GPUComputePassEncoder;
  const { setPipeline, dispatchWorkgroups } = prototype;
  const pipelines = new WeakMap<GPUComputePassEncoder, GPUComputePipeline>();
  const found: number[][] = [];
  prototype.setPipeline = function (pipeline) {
    pipelines.set(this, pipeline);
    return setPipeline.call(this, pipeline);
  };
  prototype.dispatchWorkgroups = function (...workgroups) {
    if (pipelines.get(this)?.label === kernel) found.push(workgroups as number[]);
    return dispatchWorkgroups.apply(this, workgroups);
  };
  try {
    await use();
  } finally {
    Object.assign(prototype, { setPipeline, dispatchWorkgroups });
  }
  return found;
}
