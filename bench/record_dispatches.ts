/** The dispatches of one kernel, in their order. */
export interface Recorded {
  readonly device: GPUDevice;
  readonly dispatches: ((pass: GPUComputePassEncoder) => void)[];
}

/**
 * Writes down what is dispatched while `use` runs, so that it can be done again.
 *
 * @returns By the label of the pipeline, in the order of first use.
 */
export async function recordDispatches(use: () => Promise<void>): Promise<Map<string, Recorded>> {
  const recorded = new Map<string, Recorded>();
  let device: GPUDevice | undefined;
  let pipeline: GPUComputePipeline | undefined;
  let groups: [number, GPUBindGroup, number[]][] = [];

  const undo = [
    patch(GPUDevice.prototype, "createCommandEncoder", function () {
      device = this;
    }),
    patch(GPUComputePassEncoder.prototype, "setPipeline", (set: GPUComputePipeline) => {
      pipeline = set;
      groups = [];
    }),
    patch(
      GPUComputePassEncoder.prototype,
      "setBindGroup",
      (index: number, group: GPUBindGroup, offsets: number[] = []) => {
        groups.push([index, group, offsets]);
      },
    ),
    patch(
      GPUComputePassEncoder.prototype,
      "dispatchWorkgroups",
      (...workgroups: [number, number?, number?]) => {
        const [usedPipeline, usedGroups] = [pipeline!, groups];
        const { label } = usedPipeline;
        if (!recorded.has(label)) recorded.set(label, { device: device!, dispatches: [] });
        recorded.get(label)!.dispatches.push((pass) => {
          pass.setPipeline(usedPipeline);
          for (const [index, group, offsets] of usedGroups) {
            pass.setBindGroup(index, group, offsets);
          }
          pass.dispatchWorkgroups(...workgroups);
        });
      },
    ),
  ];
  try {
    await use();
  } finally {
    for (const restore of undo) restore();
  }
  return recorded;
}

type Method = (...args: unknown[]) => unknown;

/** Has `tell` told of each call of a method. */
function patch<T extends unknown[]>(
  prototype: object,
  name: string,
  tell: (this: GPUDevice, ...args: T) => void,
): () => void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name]!;
  methods[name] = function (...args) {
    tell.apply(this as unknown as GPUDevice, args as T);
    return original.apply(this, args);
  };
  return () => methods[name] = original;
}
