/**
 * How a shader uses a binding, in the order of its `@binding` numbers. `At` kinds take an offset at each dispatch;
 * textures are storage textures of rgba32float, and the plurals are arrays of them.
 */
export type Access =
  | "uniform"
  | "uniformAt"
  | "read"
  | "readAt"
  | "readWrite"
  | "readWriteAt"
  | "readTexture"
  | "writeTexture"
  | "readTextures"
  | "writeTextures";

/** A resource, or a part of it, bound for one use. */
export interface Binding {
  readonly access: Access;
  readonly resource: GPUBufferBinding | GPUTextureView;
}

type Range = { readonly offset?: number; readonly size?: number };

const bufferBinding = (access: Access) => (buffer: GPUBuffer, range: Range = {}): Binding => ({
  access,
  resource: { buffer, ...range },
});
const textureBinding = (access: Access) => (resource: GPUTextureView): Binding => ({
  access,
  resource,
});

/** Binds a uniform buffer, or a range of it. */
export const uniform = bufferBinding("uniform");
/** Binds `size` bytes of a uniform buffer, at an offset given with each dispatch. */
export const uniformAt = bufferBinding("uniformAt");
/** Binds a storage buffer, or a range of it, that the kernel reads. */
export const read = bufferBinding("read");
/** Binds `size` bytes of a storage buffer that the kernel reads, at an offset given with each dispatch. */
export const readAt = bufferBinding("readAt");
/** Binds a storage buffer, or a range of it, that the kernel writes. */
export const readWrite = bufferBinding("readWrite");
/** Binds `size` bytes of a storage buffer that the kernel writes, at an offset given with each dispatch. */
export const readWriteAt = bufferBinding("readWriteAt");
/** Binds a texture that the kernel reads. */
export const readTexture = textureBinding("readTexture");
/** Binds a texture that the kernel writes. */
export const writeTexture = textureBinding("writeTexture");
/** Binds an array of textures that the kernel reads. */
export const readTextures = textureBinding("readTextures");
/** Binds an array of textures that the kernel writes. */
export const writeTextures = textureBinding("writeTextures");

const format = "rgba32float";
const viewDimension = "2d-array";
const LAYOUTS: Record<Access, Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">> = {
  uniform: { buffer: { type: "uniform" } },
  uniformAt: { buffer: { type: "uniform", hasDynamicOffset: true } },
  read: { buffer: { type: "read-only-storage" } },
  readAt: { buffer: { type: "read-only-storage", hasDynamicOffset: true } },
  readWrite: { buffer: { type: "storage" } },
  readWriteAt: { buffer: { type: "storage", hasDynamicOffset: true } },
  readTexture: { storageTexture: { access: "read-only", format } },
  writeTexture: { storageTexture: { access: "write-only", format } },
  readTextures: { storageTexture: { access: "read-only", format, viewDimension } },
  writeTextures: { storageTexture: { access: "write-only", format, viewDimension } },
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

/** A bind group and the offsets in bytes of its `At` bindings. */
export type BoundGroup = readonly [group: GPUBindGroup, ...offsets: number[]];

/** How many workgroups to run along each axis. */
export type Workgroups = readonly [x: number, y?: number, z?: number];

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
          ...LAYOUTS[access],
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
    const given = bindings.map(({ access }) => access);
    if (given.join() !== expected.join()) {
      throw new TypeError(
        `Cannot bind group ${group} of ${label} as it takes (${expected.join(", ")}): ` +
          `current value is (${given.join(", ")})`,
      );
    }
    for (const { resource } of bindings) if ("buffer" in resource) checkRange(label, resource);
    return this.#device.createBindGroup({
      label: `${label} group ${group}`,
      layout: this.#layouts[group]!,
      entries: bindings.map(({ resource }, binding) => ({ binding, resource })),
    });
  }

  /** Records one dispatch. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly BoundGroup[],
    workgroups: Workgroups,
  ): void {
    pass.setPipeline(this.#pipeline);
    groups.forEach(([group, ...offsets], index) => pass.setBindGroup(index, group, offsets));
    pass.dispatchWorkgroups(...workgroups);
  }
}

function checkRange(label: string, { buffer, offset = 0, size }: GPUBufferBinding): void {
  const bytes = size ?? buffer.size - offset;
  if (offset + bytes > buffer.size || bytes <= 0) {
    throw new RangeError(
      `Cannot bind ${buffer.label} to ${label} as it has ${buffer.size} bytes: ` +
        `current value is ${bytes} at ${offset}`,
    );
  }
}

async function compile(device: GPUDevice, label: string, code: string): Promise<GPUShaderModule> {
  // No await between push and pop: scopes that overlap swap their errors.
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label, code });
  const error = await device.popErrorScope();
  if (error) throw new SyntaxError(`Cannot compile ${label}: ${error.message}`);
  return module;
}
