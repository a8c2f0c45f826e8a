/** How a shader uses a binding, in the order of its `@binding` numbers. `At` kinds take an offset at each dispatch. */
export type Access = "uniform" | "uniformAt" | "read" | "readAt" | "readWrite" | "readWriteAt";

/** A buffer, or a range of it, bound for one use. */
export interface Binding {
  readonly access: Access;
  readonly buffer: GPUBuffer;
  readonly offset?: number;
  readonly size?: number;
}

type Range = { readonly offset?: number; readonly size?: number };

/** Binds a uniform. */
export const uniform = (buffer: GPUBuffer): Binding => ({ access: "uniform", buffer });
/** Binds `size` bytes of a uniform buffer, at an offset given with each dispatch. */
export const uniformAt = (buffer: GPUBuffer, size: number): Binding => ({
  access: "uniformAt",
  buffer,
  size,
});
/** Binds a storage buffer, or a range of it, that the kernel reads. */
export const read = (buffer: GPUBuffer, range: Range = {}): Binding => ({
  access: "read",
  buffer,
  ...range,
});
/** Binds `size` bytes of a storage buffer that the kernel reads, at an offset given with each dispatch. */
export const readAt = (buffer: GPUBuffer, size: number): Binding => ({
  access: "readAt",
  buffer,
  size,
});
/** Binds a storage buffer, or a range of it, that the kernel writes. */
export const readWrite = (buffer: GPUBuffer, range: Range = {}): Binding => ({
  access: "readWrite",
  buffer,
  ...range,
});
/** Binds `size` bytes of a storage buffer that the kernel writes, at an offset given with each dispatch. */
export const readWriteAt = (buffer: GPUBuffer, size: number): Binding => ({
  access: "readWriteAt",
  buffer,
  size,
});

const LAYOUTS: Record<Access, GPUBufferBindingLayout> = {
  uniform: { type: "uniform" },
  uniformAt: { type: "uniform", hasDynamicOffset: true },
  read: { type: "read-only-storage" },
  readAt: { type: "read-only-storage", hasDynamicOffset: true },
  readWrite: { type: "storage" },
  readWriteAt: { type: "storage", hasDynamicOffset: true },
};

/** What a kernel is made from. */
export interface KernelSpec {
  /** The stem of its files, with what sets this pipeline apart. */
  readonly label: string;
  readonly code: string;
  /** Values of the shader's `override` constants. */
  readonly constants: Record<string, number>;
  /** The bindings of each group. */
  readonly groups: readonly (readonly Access[])[];
}

/** One dispatch's arguments. */
export interface Dispatch {
  /** A bind group for each group of the kernel. */
  readonly groups: readonly GPUBindGroup[];
  readonly workgroups: readonly [x: number, y?: number, z?: number];
  /** Offsets in bytes of the `At` bindings of the last group. */
  readonly offsets?: readonly number[];
}

/** A compiled WGSL kernel: a pipeline that checks what is bound to it. */
export class Kernel {
  readonly #device: GPUDevice;
  readonly #spec: KernelSpec;
  readonly #layouts: readonly GPUBindGroupLayout[];
  readonly #pipeline: GPUComputePipeline;

  private constructor(
    device: GPUDevice,
    spec: KernelSpec,
    layouts: readonly GPUBindGroupLayout[],
    pipeline: GPUComputePipeline,
  ) {
    this.#device = device;
    this.#spec = spec;
    this.#layouts = layouts;
    this.#pipeline = pipeline;
  }

  /**
   * Compiles a kernel.
   *
   * @throws {SyntaxError} If the shader does not compile; the text has the compiler's words.
   * @throws {GPUPipelineError} If its bindings are not those of `groups`.
   */
  static async create(device: GPUDevice, spec: KernelSpec): Promise<Kernel> {
    const { label, code, constants, groups } = spec;
    const layouts = groups.map((accesses, group) =>
      device.createBindGroupLayout({
        label: `${label} group ${group}`,
        entries: accesses.map((access, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: LAYOUTS[access],
        })),
      })
    );
    const pipeline = await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: layouts }),
      compute: {
        module: await compile(device, label, code),
        entryPoint: "main",
        constants,
      },
    });
    return new Kernel(device, spec, layouts, pipeline);
  }

  /**
   * Makes the bind group for one of the kernel's groups.
   *
   * @throws {TypeError} If number or kind of the bindings is not what the kernel was made with.
   * @throws {RangeError} If a range does not lie in its buffer.
   */
  bind(group: number, bindings: readonly Binding[]): GPUBindGroup {
    const { label, groups } = this.#spec;
    const expected = groups[group] ?? [];
    const given = bindings.map((binding) => binding.access);
    if (given.join() !== expected.join()) {
      throw new TypeError(
        `Cannot bind group ${group} of ${label} as it takes (${expected.join(", ")}): ` +
          `current value is (${given.join(", ")})`,
      );
    }
    for (const { buffer, offset = 0, size = buffer.size - offset } of bindings) {
      if (offset + size > buffer.size || size <= 0) {
        throw new RangeError(
          `Cannot bind ${buffer.label} to ${label} as it has ${buffer.size} bytes: ` +
            `current value is ${size} at ${offset}`,
        );
      }
    }
    return this.#device.createBindGroup({
      label: `${label} group ${group}`,
      layout: this.#layouts[group]!,
      entries: bindings.map(({ access: _, ...resource }, binding) => ({ binding, resource })),
    });
  }

  /** Records one dispatch. */
  dispatch(pass: GPUComputePassEncoder, { groups, workgroups, offsets = [] }: Dispatch): void {
    pass.setPipeline(this.#pipeline);
    groups.forEach((group, index) =>
      pass.setBindGroup(index, group, index === groups.length - 1 ? [...offsets] : [])
    );
    pass.dispatchWorkgroups(...workgroups);
  }
}

async function compile(device: GPUDevice, label: string, code: string): Promise<GPUShaderModule> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label, code });
  const error = await device.popErrorScope();
  if (error) throw new SyntaxError(`Cannot compile ${label}: ${error.message}`);
  return module;
}
