import type { BoundGroup } from "./kernel.ts";

/** Offsets of uniforms are multiples of it on any device. */
export const UNIFORM_ALIGNMENT = 256;

/** Structs of u32 in a uniform buffer, of which a dispatch sees one. */
export class StructUniform<Member extends string> {
  readonly #device: GPUDevice;
  readonly #members: readonly Member[];
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #buffer: GPUBuffer;
  readonly #group: GPUBindGroup;

  /** @param options The members in the shader's order, and the most structs there are at a time. */
  constructor(
    device: GPUDevice,
    { label, members, most }: {
      readonly label: string;
      readonly members: readonly Member[];
      readonly most: number;
    },
  ) {
    this.#device = device;
    this.#members = members;
    this.#words = new Uint32Array(most * UNIFORM_ALIGNMENT / 4);
    this.#buffer = device.createBuffer({
      label,
      size: this.#words.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    // A bind group fits every kernel that has a group of one `uniformAt`: their layouts are equivalent.
    this.#group = device.createBindGroup({
      label,
      layout: device.createBindGroupLayout({
        label,
        entries: [{
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true },
        }],
      }),
      entries: [{
        binding: 0,
        resource: { buffer: this.#buffer, size: 16 * Math.ceil(members.length / 4) },
      }],
    });
  }

  /** Tells the device of the structs of the next submission; what is not given is 0. */
  write(structs: readonly Partial<Readonly<Record<Member, number>>>[]): void {
    structs.forEach((struct, index) => {
      const words = this.#members.map((member) => struct[member] ?? 0);
      this.#words.set(words, index * UNIFORM_ALIGNMENT / 4);
    });
    const bytes = structs.length * UNIFORM_ALIGNMENT;
    this.#device.queue.writeBuffer(this.#buffer, 0, this.#words, 0, bytes / 4);
  }

  /** The group that a dispatch about one of them is given. */
  at(index: number): BoundGroup {
    return [this.#group, index * UNIFORM_ALIGNMENT];
  }
}
