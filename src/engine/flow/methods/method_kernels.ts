import type { Architecture } from "../../../requests/architecture/architecture.ts";
import type { Forward } from "../../model/forward.ts";
import type { MeasuredPrompt, PreparedPrompt } from "../measured_prompt.ts";
import type { HeadWrites } from "../head_writes.ts";
import type { RouteShares } from "../route_shares.ts";

/** The inputs from which one layer is measured, and the buffer of its matrix. */
export interface MeasureOperands {
  readonly layer: number;
  /** (T, C): resid_pre. */
  readonly x: GPUTextureView;
  /** (T, C): resid_mid. */
  readonly y: GPUTextureView;
  readonly patterns: PartOfBuffer;
  readonly matrix: PartOfBuffer;
}

/** A layer's part of a buffer: the binding, and its dynamic offset. */
export interface PartOfBuffer {
  readonly bound: { readonly buffer: GPUBuffer; readonly size: number };
  readonly offset: number;
}

/** The kernels of a flow method. */
export interface MethodKernels {
  /** Allocates what it needs apart from head outputs. */
  prepare(measured: PreparedPrompt): Promise<void>;
  /** Records one layer. Rows are divided by their sums afterwards. */
  encode(pass: GPUComputePassEncoder, measured: MeasuredPrompt, operands: MeasureOperands): void;
}

/** Dependencies of a flow method's kernels. */
export interface MethodTools {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly forward: Forward;
  /** f: what each head would write for each source. */
  readonly writes: HeadWrites;
  readonly routeShares: RouteShares;
}
