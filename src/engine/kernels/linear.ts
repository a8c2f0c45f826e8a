import {
  type Access,
  type Binding,
  Kernel,
  read,
  readTexture,
  uniform,
  writeTexture,
} from "../gpu/kernel.ts";

/** The activations of MLPs, by their names in `config.json`. */
export type Activation = "gelu_new" | "gelu" | "relu";

/**
 * What becomes of a linear's sums: they are put at a row that the pass names, put through an activation, or added to
 * the residual stream.
 */
export type Epilogue = "place" | "add" | Activation;
const EPILOGUES: Record<Epilogue, number> = { place: 0, gelu_new: 1, add: 2, gelu: 3, relu: 4 };

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

/** What a linear reads and writes, beside its weights. */
export interface LinearOperands {
  /** `struct Pass`: how many rows there are, and where the first is placed. */
  readonly job: GPUBuffer;
  /** (T, K) */
  readonly x: GPUTextureView;
  /** (N) */
  readonly b: GPUBuffer;
  /** (T, N), read where the sums are added to it. */
  readonly residual: GPUTextureView;
  /** (T, N) */
  readonly y: GPUTextureView;
}

/** y = f(x w + b) for one matrix w, which is on the device. */
export class Linear {
  /** Bytes of the matrix on the device. */
  readonly bytes: number;
  /** What computes it, and can compute others. */
  readonly kernel: LinearKernel;
  readonly #shape: LinearShape;
  readonly #weights: Packed;
  readonly #uniform: GPUBuffer;

  constructor(kernel: LinearKernel, shape: LinearShape, weights: Packed, uniform: GPUBuffer) {
    this.bytes = weights.bytes;
    this.kernel = kernel;
    this.#shape = shape;
    this.#weights = weights;
    this.#uniform = uniform;
  }

  /** Binds the matrix between activations. */
  bind({ job, x, b, residual, y }: LinearOperands): GPUBindGroup {
    return this.kernel.kernel.bind(0, [
      uniform(this.#uniform),
      uniform(job),
      readTexture(x),
      this.#weights.binding,
      read(b),
      readTexture(residual),
      writeTexture(y),
    ]);
  }

  /**
   * Records the product.
   *
   * @param size T, and how many of the columns are wanted if not all are.
   */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { rows, outputs = this.#shape.outputs }: { readonly rows: number; readonly outputs?: number },
  ): void {
    const { kernel, tiling: { rows: tall, columns: wide } } = this.kernel;
    kernel.dispatch(pass, [[operands]], [Math.ceil(outputs / wide), Math.ceil(rows / tall)]);
  }

  /** Gives the matrix's memory back. */
  destroy(): void {
    this.#weights.destroy();
    this.#uniform.destroy();
  }
}

/** A compiled tiling, which serves matrices of all shapes. */
export class LinearKernel {
  readonly tiling: Tiling;
  readonly kernel: Kernel;
  readonly #device: GPUDevice;

  private constructor(device: GPUDevice, tiling: Tiling, kernel: Kernel) {
    this.#device = device;
    this.tiling = tiling;
    this.kernel = kernel;
  }

  /** Compiles the kernel of a tiling. */
  static async create(device: GPUDevice, tiling: Tiling): Promise<LinearKernel> {
    const { variant, code, weights } = tiling;
    const operands = ["readTexture", weights, "read", "readTexture", "writeTexture"] as const;
    const kernel = await Kernel.create(device, {
      label: variant,
      code,
      constants: {},
      groups: [["uniform", "uniform", ...operands]],
    });
    return new LinearKernel(device, tiling, kernel);
  }

  /**
   * Puts a row-major (K, N) matrix on the device.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async upload(label: string, values: Float32Array, shape: LinearShape): Promise<Linear> {
    const weights = await this.tiling.pack(this.#device, label, { values, shape });
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.#device.createBuffer({ label: `shape of ${label}`, size: 16, usage });
    const words = [shape.inputs / 4, weights.layout, EPILOGUES[shape.epilogue], 0];
    this.#device.queue.writeBuffer(buffer, 0, new Uint32Array(words));
    return new Linear(this, shape, weights, buffer);
  }
}
