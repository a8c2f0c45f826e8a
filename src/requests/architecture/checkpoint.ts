import type { Architecture } from "./architecture.ts";
import type { Parameter, Tensors } from "./family.ts";

/** A hash over what it is given, one after the other. */
export interface RunningHash {
  update(part: string | Float32Array): RunningHash;
  /** In hexadecimal digits. */
  digest(): string;
}

/** A model's weights, wherever they are: every tensor is there in its shape. */
export interface Checkpoint extends AsyncDisposable {
  readonly architecture: Architecture;
  readonly tensors: Tensors;
  /**
   * Reads one tensor as float32.
   *
   * @param target Memory for it, which may be larger; new memory by default.
   * @throws {RangeError} If it holds a number that is not finite.
   */
  read(
    parameter: Parameter,
    target?: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer>>;
  /** Begins a hash, SHA-256, for the model's fingerprint; of files that were hashed before it gives what they had then. */
  hash(): RunningHash;
}
