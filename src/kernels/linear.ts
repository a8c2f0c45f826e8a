import code from "../../shaders/linear.wgsl" with { type: "text" };
import { Kernel, read, readWrite } from "../gpu/kernel.ts";

/** Rows that one invocation makes; buffers of activations have a multiple of it. */
export const TILE_ROWS = 16;
/** Columns that one invocation makes; weights and activations are padded to a multiple of it. */
export const TILE_COLUMNS = 16;
const WORKGROUP_COLUMNS = 8 * TILE_COLUMNS;

/** What a linear does with its sums: write them, write their GELU, or add them to what is there. */
export type Epilogue = "none" | "gelu" | "add";
const EPILOGUES: Record<Epilogue, number> = { none: 0, gelu: 1, add: 2 };

/** The sizes of a linear, before padding. */
export interface LinearShape {
  readonly label: string;
  /** K. */
  readonly inputs: number;
  /** N. */
  readonly outputs: number;
  readonly epilogue: Epilogue;
}

/** What one linear reads and writes. */
export interface LinearOperands {
  /** (T, K) */
  readonly x: GPUBuffer;
  /** (K, N), columns padded. */
  readonly w: GPUBuffer;
  /** (N), padded. */
  readonly b: GPUBuffer;
  /** (T, N) */
  readonly y: GPUBuffer;
}

/** Floats from one row of `columns` floats to the next, in weights and activations. */
export function rowStride(columns: number): number {
  return Math.ceil(columns / TILE_COLUMNS) * TILE_COLUMNS;
}

/** y = f(x w + b), see `shaders/linear.wgsl`. */
export class Linear {
  readonly #kernel: Kernel;
  readonly #outputs: number;

  private constructor(kernel: Kernel, outputs: number) {
    this.#kernel = kernel;
    this.#outputs = outputs;
  }

  /** Compiles a linear for one shape of weights. */
  static async create(device: GPUDevice, shape: LinearShape): Promise<Linear> {
    const { label, inputs, outputs, epilogue } = shape;
    const kernel = await Kernel.create(device, {
      label: `linear ${label}`,
      code,
      constants: {
        K4: inputs / 4,
        N4: rowStride(outputs) / 4,
        X_STRIDE: rowStride(inputs) / 4,
        EPILOGUE: EPILOGUES[epilogue],
      },
      groups: [["read", "read", "read", "readWrite"]],
    });
    return new Linear(kernel, outputs);
  }

  /** Binds one layer's weights between two buffers of activations. */
  bind({ x, w, b, y }: LinearOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(x), read(w), read(b), readWrite(y)]);
  }

  /**
   * Records the product for the first `tokens` rows.
   *
   * @param outputs So many of the columns, where not all are wanted.
   */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { tokens, outputs = this.#outputs }: { tokens: number; outputs?: number },
  ): void {
    this.#kernel.dispatch(pass, {
      groups: [operands],
      workgroups: [Math.ceil(outputs / WORKGROUP_COLUMNS), Math.ceil(tokens / TILE_ROWS)],
    });
  }
}
