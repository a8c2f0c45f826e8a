import type { BoundGroup } from "../gpu/kernel.ts";

/** What kernels know of a prompt: `struct Prompt` in the shaders, member by member. */
export interface PromptFields {
  /** T */
  readonly tokens: number;
  /** The first position whose row is computed in this pass; those before are there already. */
  readonly first: number;
  /** The row of position 0 in the texture of queries, keys and values. */
  readonly slot: number;
  /** The row of position `first` in the other activations. */
  readonly row: number;
  /** Vec4s from one packed triangle to the next. */
  readonly stride: number;
  /** The first position that a flow keeps: 1 leaves BOS out. */
  readonly kept: number;
  /** What becomes of the layers, as `shaders/flow.wgsl` numbers it. */
  readonly aggregate: number;
  /** Where its flow goes in the buffer of results, in numbers. */
  readonly result: number;
  /** How many layers a flow is made of. */
  readonly layers: number;
  /** How many heads are chosen. */
  readonly heads: number;
  /** Where the places of the chosen heads' triangles begin. */
  readonly places: number;
  /** How many neighbouring positions share a cell. */
  readonly span: number;
  /** Where the shares that BOS had go in the buffer of results, in numbers. */
  readonly dropped: number;
}

/** Offsets of uniforms are multiples of it on any device. */
export const UNIFORM_ALIGNMENT = 256;

/** In the order of `struct Prompt`. */
const MEMBERS = [
  "tokens",
  "first",
  "slot",
  "row",
  "stride",
  "kept",
  "aggregate",
  "result",
  "layers",
  "heads",
  "places",
  "span",
  "dropped",
] as const satisfies (keyof PromptFields)[];
/** Of a uniform, in whole vec4s. */
const WORDS = 4 * Math.ceil(MEMBERS.length / 4);
const BYTES = 4 * WORDS;

/** The prompts of one pass, in a uniform buffer of which a dispatch sees one. */
export class PromptUniform {
  readonly #device: GPUDevice;
  readonly #buffer: GPUBuffer;
  readonly #group: GPUBindGroup;
  readonly #words: Uint32Array<ArrayBuffer>;

  /** @param most How many prompts a pass may have. */
  constructor(device: GPUDevice, most: number) {
    this.#device = device;
    this.#words = new Uint32Array(most * UNIFORM_ALIGNMENT / 4);
    this.#buffer = device.createBuffer({
      label: "prompts",
      size: this.#words.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    // A bind group fits every kernel that has a group of one `uniformAt`: their layouts are equivalent.
    this.#group = device.createBindGroup({
      label: "prompts",
      layout: device.createBindGroupLayout({
        label: "prompts",
        entries: [{
          binding: 0,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: "uniform", hasDynamicOffset: true },
        }],
      }),
      entries: [{ binding: 0, resource: { buffer: this.#buffer, size: BYTES } }],
    });
  }

  /** Tells the device of the prompts of the next submission; what is not given is 0. */
  write(prompts: readonly Partial<PromptFields>[]): void {
    prompts.forEach((prompt, index) => {
      const words = MEMBERS.map((member) => prompt[member] ?? 0);
      this.#words.set(words, index * UNIFORM_ALIGNMENT / 4);
    });
    const bytes = prompts.length * UNIFORM_ALIGNMENT;
    this.#device.queue.writeBuffer(this.#buffer, 0, this.#words.buffer, 0, bytes);
  }

  /** The group that a dispatch about one of the prompts is given. */
  at(index: number): BoundGroup {
    return [this.#group, index * UNIFORM_ALIGNMENT];
  }
}
