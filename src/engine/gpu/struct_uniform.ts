import type { BoundGroup } from "./kernel.ts";

/** The alignment of uniforms' offsets on every device. */
export const UNIFORM_ALIGNMENT = 256;

/** Structs of u32 in a uniform buffer, one for each dispatch. */
export class StructUniform<Member extends string> {
  readonly #device: GPUDevice;
  readonly #members: readonly Member[];
  readonly #label: string;
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #buffer: GPUBuffer | undefined;
  #group: GPUBindGroup | undefined;

  /** @param options The members in the shader's order, and how many structs there is room for at first. */
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
    this.#label = label;
    this.reserve(most);
  }

  /** Makes room for `count` structs. If this needs a larger buffer, earlier groups of {@linkcode at} become invalid. */
  reserve(count: number): void {
    if (this.#words.length * 4 >= count * UNIFORM_ALIGNMENT) return;
    const device = this.#device;
    const label = this.#label;
    this.#buffer?.destroy();
    this.#words = new Uint32Array(count * UNIFORM_ALIGNMENT / 4);
    const buffer = this.#buffer = device.createBuffer({
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
        resource: { buffer, size: 16 * Math.ceil(this.#members.length / 4) },
      }],
    });
  }

  /** Writes the structs of the next submission, from index `first` on. Missing members are 0. */
  write(structs: readonly Partial<Readonly<Record<Member, number>>>[], first = 0): void {
    if (structs.length === 0) return;
    const begin = first * UNIFORM_ALIGNMENT;
    structs.forEach((struct, index) => {
      const words = this.#members.map((member) => struct[member] ?? 0);
      this.#words.set(words, (begin + index * UNIFORM_ALIGNMENT) / 4);
    });
    const words = structs.length * UNIFORM_ALIGNMENT / 4;
    this.#device.queue.writeBuffer(this.#buffer!, begin, this.#words, begin / 4, words);
  }

  /** The bind group for a dispatch with one of them. */
  at(index: number): BoundGroup {
    return [this.#group!, index * UNIFORM_ALIGNMENT];
  }
}
