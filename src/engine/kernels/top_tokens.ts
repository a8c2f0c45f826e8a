import code from "../../../shaders/top_tokens.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, readTexture, readWrite, uniformAt } from "../gpu/kernel.ts";
import { UNIFORM_ALIGNMENT } from "./prompt.ts";

/** `struct Block` of the shader. */
export interface TopTokensBlock {
  /** The block's first token, and how many there are. */
  readonly first: number;
  readonly tokens: number;
  /** Which half of the lists is written. */
  readonly half: number;
  /** Where the lists of the first row are. */
  readonly row: number;
  /** How many rows there are lists for. */
  readonly rows: number;
  readonly k: number;
}

const BYTES = 32;

/** The k largest logits of each row, block by block, see `shaders/top_tokens.wgsl`. */
export class TopTokens {
  readonly #device: GPUDevice;
  readonly #kernel: Kernel;
  readonly #blocks: GPUBuffer;
  readonly #group: GPUBindGroup;

  private constructor(device: GPUDevice, kernel: Kernel, most: number) {
    this.#device = device;
    this.#kernel = kernel;
    this.#blocks = device.createBuffer({
      label: "blocks of the vocabulary",
      size: most * UNIFORM_ALIGNMENT,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#group = kernel.bind(1, [uniformAt(this.#blocks, { size: BYTES })]);
  }

  /** Compiles the kernel, for so many blocks at most in a submission. */
  static async create(device: GPUDevice, most: number): Promise<TopTokens> {
    const kernel = await Kernel.create(device, {
      label: "top_tokens",
      code,
      constants: {},
      groups: [["readTexture", "readWrite"], ["uniformAt"]],
    });
    return new TopTokens(device, kernel, most);
  }

  /** Binds logits, (R, block), and the lists. */
  bind(logits: GPUTextureView, tops: GPUBuffer): GPUBindGroup {
    return this.#kernel.bind(0, [readTexture(logits), readWrite(tops)]);
  }

  /** Tells the device of the blocks of the next submission. */
  write(blocks: readonly TopTokensBlock[]): void {
    const words = new Uint32Array(blocks.length * UNIFORM_ALIGNMENT / 4);
    blocks.forEach(({ first, tokens, half, row, rows, k }, index) =>
      words.set([first, tokens, half, row, rows, k], index * UNIFORM_ALIGNMENT / 4)
    );
    this.#device.queue.writeBuffer(this.#blocks, 0, words);
  }

  /** Records one block, by its index among those written. */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { block, rows }: { readonly block: number; readonly rows: number },
  ): void {
    const group: BoundGroup = [this.#group, block * UNIFORM_ALIGNMENT];
    this.#kernel.dispatch(pass, [[operands], group], [rows]);
  }
}
