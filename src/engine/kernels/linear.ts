import type { Epilogue } from "../../requests/architecture/family.ts";
import { defineKernel, type KernelDefinition, type KernelOf } from "../gpu/define_kernel.ts";
import type { Resource } from "../gpu/kernel.ts";
import type { WeightType } from "../../requests/weight_type.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const EPILOGUES: Record<Epilogue, number> = {
  store: 0,
  gelu_new: 1,
  add: 2,
  gelu: 3,
  relu: 4,
  silu: 5,
  tanh: 6,
};

/** The shape of a linear and its epilogue. */
export interface LinearShape {
  /** K */
  readonly inputs: number;
  /** N */
  readonly outputs: number;
  readonly epilogue: Epilogue;
}

/** A matrix in a tiling's layout. */
export interface Packed {
  readonly resource: GPUBuffer | GPUTextureView;
  /** The pitch of the layout, for the shader. */
  readonly pitch: number;
  readonly bytes: number;
  /** Gives the memory back. */
  destroy(): void;
}

/** The members of `struct Shape`: vec4s of inputs, the layout of {@linkcode Packed}, the epilogue. */
export const SHAPE_MEMBERS = ["inputs", "pitch", "epilogue"] as const;
/** The members of `struct Rows`: how many rows there are, and where the first is placed. */
export const ROWS_MEMBERS = ["count", "first"] as const;

/** A shader of linears, whose weights are in a buffer or in a texture. */
export interface LinearDefinition extends
  KernelDefinition<
    unknown,
    readonly [{
      readonly shape: "uniform";
      readonly rows: "uniform";
      readonly x: "readTexture";
      readonly w: "read" | "readTexture" | "readHalfTexture";
      readonly b: "read";
      readonly residual: "readTexture";
      readonly y: "writeTexture";
    }],
    { readonly rows: number; readonly outputs: number }
  > {}

/** The properties in which shaders of linears differ. */
export interface LinearSpec {
  readonly name: string;
  readonly code: string;
  readonly weights: "read" | "readTexture" | "readHalfTexture";
  /** Rows of a tile if they are an `override`; by default the shader's `ROWS`. */
  readonly rows?: number;
}

/** Declares a shader of linears, whose tiles have `COLUMNS` vec4s of columns. */
export function defineLinear({ name, code, weights, rows }: LinearSpec): LinearDefinition {
  const tall = rows ?? wgslConstant(code, "ROWS");
  const wide = 4 * wgslConstant(code, "COLUMNS");
  return defineKernel({
    name,
    code,
    constants: (): Record<string, number> => rows === undefined ? {} : { ROWS: rows },
    groups: [{
      shape: "uniform",
      rows: "uniform",
      x: "readTexture",
      w: weights,
      b: "read",
      residual: "readTexture",
      y: "writeTexture",
    }],
    workgroups: (
      { rows, outputs }: { readonly rows: number; readonly outputs: number },
    ) => [Math.ceil(outputs / wide), Math.ceil(rows / tall)],
  });
}

/** An implementation of linears; each suits some devices. */
export interface Tiling {
  readonly kernel: LinearDefinition;
  readonly weights: WeightType;
  /** A faster kernel for up to `rows` rows, with the same weights and the same bits. */
  readonly thin?: { readonly kernel: LinearDefinition; readonly rows: number };
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

/** The operands of a linear, beside its weights. */
export interface LinearOperands {
  /** `struct Rows` */
  readonly rows: GPUBuffer;
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
  /** The compiled kernel, which other linears share. */
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
  bind(operands: LinearOperands): GPUBindGroup {
    const w = this.#weights.resource as
      & Resource<"read">
      & Resource<"readTexture">
      & Resource<"readHalfTexture">;
    return this.kernel.kernel.bind({ shape: this.#uniform, w, ...operands });
  }

  /** Records the product for T rows. */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { rows }: { readonly rows: number },
  ): void {
    const { outputs } = this.#shape;
    this.kernel.kernelFor(rows).dispatch(pass, [[operands]], { rows, outputs });
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
  readonly kernel: KernelOf<LinearDefinition>;
  readonly #thin: KernelOf<LinearDefinition> | undefined;
  readonly #device: GPUDevice;

  private constructor(
    device: GPUDevice,
    tiling: Tiling,
    { kernel, thin }: {
      readonly kernel: KernelOf<LinearDefinition>;
      readonly thin: KernelOf<LinearDefinition> | undefined;
    },
  ) {
    this.#device = device;
    this.tiling = tiling;
    this.kernel = kernel;
    this.#thin = thin;
  }

  /** Compiles the kernels of a tiling. */
  static async create(device: GPUDevice, tiling: Tiling): Promise<LinearKernel> {
    return new LinearKernel(device, tiling, {
      kernel: await tiling.kernel.create(device),
      thin: await tiling.thin?.kernel.create(device),
    });
  }

  /** The kernel for this number of rows. All of them take the same bind groups. */
  kernelFor(rows: number): KernelOf<LinearDefinition> {
    const { thin } = this.tiling;
    return thin && rows <= thin.rows ? this.#thin! : this.kernel;
  }

  /** The stem of its shader. */
  get name(): string {
    return this.tiling.kernel.name;
  }

  /**
   * Puts a row-major (K, N) matrix on the device.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async upload(label: string, values: Float32Array, shape: LinearShape): Promise<Linear> {
    const weights = await this.tiling.pack(this.#device, label, { values, shape });
    const words = [shape.inputs / 4, weights.pitch, EPILOGUES[shape.epilogue]];
    const uniform = makeUniform(this.#device, `shape of ${label}`, new Uint32Array(words));
    return new Linear(this, shape, weights, uniform);
  }
}
