import type { Architecture } from "./architecture.ts";
import type { Parameter, Tensors } from "./family.ts";

/** A hash of data that is given in several parts. */
export interface RunningHash {
  update(part: string | Float32Array): RunningHash;
  /** In hexadecimal digits. */
  digest(): string;
}

/** A model's weights, wherever they are stored. Every tensor exists and has its shape. */
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
  /**
   * Begins the SHA-256 of the model's fingerprint; for files that were hashed before, it returns the remembered one.
   */
  hash(): RunningHash;
}
