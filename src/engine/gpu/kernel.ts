/**
 * How a shader uses a binding. `At` kinds take an offset at each dispatch; textures are storage textures of rgba32float
 * (`Half`: rgba16float), and the plurals are arrays of them.
 */
export type Access = BufferAccess | TextureAccess;
type BufferAccess = "uniform" | "uniformAt" | "read" | "readAt" | "readWrite" | "readWriteAt";
type TextureAccess =
  | "readTexture"
  | "readHalfTexture"
  | "writeTexture"
  | "readTextures"
  | "writeTextures";

/** The bindings of a group by the names that the shader gives them, in the order of their `@binding` numbers. */
export type GroupSpec = Readonly<Record<string, Access>>;

/** The resource bound for a use: a whole buffer or a part of one, or a view of a texture. */
export type Resource<Use extends Access> = Use extends BufferAccess ? GPUBuffer | GPUBufferBinding
  : GPUTextureView;

/** The resources bound to the names of a group. */
export type Resources<Group extends GroupSpec> = {
  readonly [Name in keyof Group]: Resource<Group[Name]>;
};

/** A bind group and the offsets in bytes of its `At` bindings. */
export type BoundGroup = readonly [group: GPUBindGroup, ...offsets: number[]];

/** The number of workgroups along each axis. */
export type Workgroups = readonly [x: number, y?: number, z?: number];

/** Options of a pipeline. */
export interface PipelineSpec<Groups extends readonly GroupSpec[]> {
  /** The stem of the shader's file. */
  readonly name: string;
  readonly code: string;
  /** Values of the shader's `override` constants. */
  readonly constants: Record<string, number>;
  readonly groups: Groups;
}

/** wgpu refuses this standard directive, and enables the feature without it (gfx-rs/wgpu#5555). */
const SUBGROUPS = "enable subgroups;\n";

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
  readHalfTexture: { storageTexture: { access: "read-only", format: "rgba16float" } },
  writeTexture: { storageTexture: { access: "write-only", format } },
  readTextures: { storageTexture: { access: "read-only", format, viewDimension } },
  writeTextures: { storageTexture: { access: "write-only", format, viewDimension } },
};

/** A compiled shader: a pipeline that checks what is bound to it. See `define_kernel.ts`. */
export class Kernel<Groups extends readonly GroupSpec[], Work> {
  readonly #device: GPUDevice;
  readonly #spec: PipelineSpec<Groups>;
  readonly #layouts: readonly GPUBindGroupLayout[];
  readonly #pipeline: GPUComputePipeline;
  readonly #workgroups: (work: Work) => Workgroups;

  private constructor(
    device: GPUDevice,
    spec: PipelineSpec<Groups>,
    made: {
      readonly layouts: readonly GPUBindGroupLayout[];
      readonly pipeline: GPUComputePipeline;
      readonly workgroups: (work: Work) => Workgroups;
    },
  ) {
    this.#device = device;
    this.#spec = spec;
    this.#layouts = made.layouts;
    this.#pipeline = made.pipeline;
    this.#workgroups = made.workgroups;
  }

  /**
   * Compiles a shader.
   *
   * @param workgroups The number of workgroups of a dispatch.
   * @throws {SyntaxError} If the shader does not compile; the text has the compiler's words.
   * @throws {GPUPipelineError} If its bindings are not those of `groups`.
   */
  static async compile<Groups extends readonly GroupSpec[], Work>(
    device: GPUDevice,
    spec: PipelineSpec<Groups>,
    workgroups: (work: Work) => Workgroups,
  ): Promise<Kernel<Groups, Work>> {
    const { name, code, constants, groups } = spec;
    const layouts = groups.map((group, index) =>
      device.createBindGroupLayout({
        label: `${name} group ${index}`,
        entries: Object.values(group).map((access, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          ...LAYOUTS[access],
        })),
      })
    );
    const pipeline = await device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ label: name, bindGroupLayouts: layouts }),
      compute: { module: await moduleOf(device, name, code), entryPoint: "main", constants },
    });
    return new Kernel(device, spec, { layouts, pipeline, workgroups });
  }

  /**
   * Makes the bind group with these names.
   *
   * @throws {TypeError} If the names are not those of one of the kernel's groups.
   * @throws {RangeError} If a part does not lie in its buffer.
   */
  bind(resources: Resources<Groups[number]>): GPUBindGroup {
    const { name, groups } = this.#spec;
    const given = resources as Record<string, Resource<Access>>;
    const index = groups.findIndex((group) => Object.keys(group).some((it) => it in given));
    const names = Object.keys(groups[index] ?? {});
    if (names.toSorted().join() !== Object.keys(given).toSorted().join()) {
      throw new TypeError(
        `Cannot bind a group of ${name} as its groups are ` +
          groups.map((group) => `(${Object.keys(group).join(", ")})`).join(", ") +
          `: current value is (${Object.keys(given).join(", ")})`,
      );
    }
    return this.#device.createBindGroup({
      label: `${name} group ${index}`,
      layout: this.#layouts[index]!,
      entries: names.map((it, binding) => ({ binding, resource: this.#resource(given[it]!) })),
    });
  }

  /** Records one dispatch. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: { readonly [Index in keyof Groups]: BoundGroup },
    work: Work,
  ): void {
    pass.setPipeline(this.#pipeline);
    groups.forEach(([group, ...offsets], index) => pass.setBindGroup(index, group, offsets));
    pass.dispatchWorkgroups(...this.#workgroups(work));
  }

  #resource(it: Resource<Access>): GPUBindingResource {
    if (it instanceof GPUTextureView) return it;
    const part = it instanceof GPUBuffer ? { buffer: it } : it;
    const { buffer, offset = 0 } = part;
    const size = part.size ?? buffer.size - offset;
    if (offset + size > buffer.size || size <= 0) {
      throw new RangeError(
        `Cannot bind ${buffer.label} to ${this.#spec.name} as it has ${buffer.size} bytes: ` +
          `current value is ${size} at ${offset}`,
      );
    }
    return part;
  }
}

async function moduleOf(device: GPUDevice, label: string, code: string): Promise<GPUShaderModule> {
  // No await between push and pop: scopes that overlap swap their errors.
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label, code });
  const error = await device.popErrorScope();
  if (!error) return module;
  if (code.includes(SUBGROUPS) && /enable-extension is not yet supported/.test(error.message)) {
    return await moduleOf(device, label, code.replace(SUBGROUPS, "\n"));
  }
  throw new SyntaxError(`Cannot compile ${label}: ${error.message}`);
}
