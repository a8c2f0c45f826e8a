import {
  type Access,
  type Binding,
  Kernel,
  read,
  readTexture,
  uniform,
  writeTexture,
} from "../gpu/kernel.ts";

/**
 * What becomes of a linear's sums: they are put at a row that the pass names, put through GELU, or added to the
 * residual stream.
 */
export type Epilogue = "place" | "gelu" | "add";
const EPILOGUES: Record<Epilogue, number> = { place: 0, gelu: 1, add: 2 };

/** What a linear is for. */
export interface LinearShape {
  /** K */
  readonly inputs: number;
  /** N */
  readonly outputs: number;
  readonly epilogue: Epilogue;
}

/** A matrix in the layout that a tiling reads. */
export interface Packed {
  readonly binding: Binding;
  /** What the shader needs to find its way in it. */
  readonly layout: number;
  readonly bytes: number;
  /** Gives the memory back. */
  destroy(): void;
}

/** One way of computing a linear; each suits some devices. */
export interface Tiling {
  /** The stem of its shader. */
  readonly variant: string;
  readonly code: string;
  /** How the shader reads weights. */
  readonly weights: Access;
  /** Rows that a workgroup makes. */
  readonly rows: number;
  /** Columns that a workgroup makes. */
  readonly columns: number;
  /**
   * Puts a row-major (K, N) matrix on the device.
   *
   * @throws {AllocationError} If the device has no room.
   */
  pack(
    device: GPUDevice,
    label: string,
    matrix: { readonly values: Float32Array; readonly shape: LinearShape },
  ): Promise<Packed>;
}

/** A (K, N) matrix on the device. */
export interface LinearWeights extends Packed {
  readonly shape: LinearShape;
}

/** What a linear reads and writes. */
export interface LinearOperands {
  /** `struct Pass`: how many rows there are, and where the first is placed. */
  readonly job: GPUBuffer;
  /** (T, K) */
  readonly x: GPUTextureView;
  readonly w: LinearWeights;
  /** (N) */
  readonly b: GPUBuffer;
  /** (T, N), read where the sums are added to it. */
  readonly residual: GPUTextureView;
  /** (T, N) */
  readonly y: GPUTextureView;
}

/** A linear with its operands bound. */
export interface BoundLinear {
  readonly group: GPUBindGroup;
  readonly shape: LinearShape;
}

/** y = f(x w + b). One kernel serves all shapes. */
export class Linear {
  /** How it is computed. */
  readonly tiling: Tiling;
  readonly #device: GPUDevice;
  readonly #kernel: Kernel;

  private constructor(device: GPUDevice, tiling: Tiling, kernel: Kernel) {
    this.tiling = tiling;
    this.#device = device;
    this.#kernel = kernel;
  }

  /** Compiles the kernel of a tiling. */
  static async create(device: GPUDevice, tiling: Tiling): Promise<Linear> {
    const { variant, code, weights } = tiling;
    const operands = ["readTexture", weights, "read", "readTexture", "writeTexture"] as const;
    const kernel = await Kernel.create(device, {
      label: variant,
      code,
      constants: {},
      groups: [["uniform", "uniform", ...operands]],
    });
    return new Linear(device, tiling, kernel);
  }

  /**
   * Puts a row-major (K, N) matrix on the device.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async upload(label: string, values: Float32Array, shape: LinearShape): Promise<LinearWeights> {
    return { ...await this.tiling.pack(this.#device, label, { values, shape }), shape };
  }

  /** Binds a matrix between activations. */
  bind({ job, x, w, b, residual, y }: LinearOperands): BoundLinear {
    const { inputs, epilogue } = w.shape;
    const shape = this.#device.createBuffer({
      label: "shape of a linear",
      size: 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const words = new Uint32Array([inputs / 4, w.layout, EPILOGUES[epilogue], 0]);
    this.#device.queue.writeBuffer(shape, 0, words);
    const group = this.#kernel.bind(0, [
      uniform(shape),
      uniform(job),
      readTexture(x),
      w.binding,
      read(b),
      readTexture(residual),
      writeTexture(y),
    ]);
    return { group, shape: w.shape };
  }

  /**
   * Records the product.
   *
   * @param size T, and how many of the columns are wanted if not all are.
   */
  dispatch(
    pass: GPUComputePassEncoder,
    { group, shape }: BoundLinear,
    { rows, outputs = shape.outputs }: { readonly rows: number; readonly outputs?: number },
  ): void {
    const { rows: tall, columns: wide } = this.tiling;
    this.#kernel.dispatch(pass, [[group]], [Math.ceil(outputs / wide), Math.ceil(rows / tall)]);
  }
}
