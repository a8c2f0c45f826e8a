import type { Architecture } from "../../requests/architecture/architecture.ts";
import { GrowingTexture } from "../gpu/growing_texture.ts";
import { AddRows } from "../kernels/add_rows.ts";
import type { LinearLayer } from "./weights.ts";

/** The operands of a layer's attention or MLP output. */
export interface OutputOperands {
  readonly linear: LinearLayer;
  readonly rows: GPUBuffer;
  /** Its input, (T, K). */
  readonly x: GPUTextureView;
  /** The residual stream before, and after, (T, C). */
  readonly before: GPUTextureView;
  readonly after: GPUTextureView;
}

/**
 * The outputs of attention and MLP by themselves, for passes that keep or change them. Other passes add them to the
 * residual stream in the same kernel, with the same bits.
 */
export class LayerOutputs {
  readonly #addRows: AddRows;
  readonly #output: GrowingTexture;
  readonly #zeros: GrowingTexture;

  private constructor(device: GPUDevice, { channels }: Architecture, addRows: AddRows) {
    const size = { width: channels / 4, layers: 1 };
    this.#addRows = addRows;
    this.#output = new GrowingTexture(device, { label: "output of a layer", ...size });
    this.#zeros = new GrowingTexture(device, { label: "zeros", ...size });
  }

  /** Compiles the kernel. */
  static async create(device: GPUDevice, architecture: Architecture): Promise<LayerOutputs> {
    return new LayerOutputs(device, architecture, await AddRows.create(device, architecture));
  }

  /**
   * Makes room for `rows` rows.
   *
   * @throws {AllocationError} If the device has none.
   */
  async reserve(rows: number): Promise<void> {
    await this.#output.atLeast(rows);
    await this.#zeros.atLeast(rows);
  }

  /** (T, C): the output that was recorded last. */
  get texture(): GPUTexture {
    return this.#output.texture!;
  }

  /** Records x W + b. */
  make(pass: GPUComputePassEncoder, { linear, rows, x }: OutputOperands, count: number): void {
    const { w, b } = linear;
    const [y, residual] = [this.#output, this.#zeros].map((it) => it.texture!.createView());
    const operands = w.bind({ rows, x, b, residual: residual!, y: y! });
    w.dispatch(pass, operands, { rows: count });
  }

  /** Records the residual stream after it: the sum of the stream before and the output. */
  add(pass: GPUComputePassEncoder, { before, after }: OutputOperands, rows: number): void {
    const operands = { a: this.texture.createView(), b: before, y: after };
    this.#addRows.dispatch(pass, [[this.#addRows.bind(operands)]], { rows });
  }
}
