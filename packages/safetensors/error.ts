// Copyright 2026 the Infoflow authors. MIT license.

/**
 * Why a file was refused, in the names of the format's reference implementation.
 *
 * - `HeaderTooSmall`: fewer than the 8 bytes that hold the header's length
 * - `HeaderTooLarge`: a header of more than 100,000,000 bytes
 * - `InvalidHeaderLength`: a header that would end after the end of the file
 * - `InvalidHeader`: a header that is not UTF-8
 * - `InvalidHeaderDeserialization`: a header that is not JSON, or not of the expected form
 * - `InvalidOffset`: a tensor that ends before it begins, or leaves a hole, or overlaps another
 * - `ValidationOverflow`: a tensor whose bits cannot be counted in 64 bits
 * - `MisalignedSlice`: elements smaller than a byte that do not fill whole bytes, in a tensor or in
 *   the rows to read of one
 * - `TensorInvalidInfo`: a tensor with more or fewer bytes than its dtype and shape ask for
 * - `MetadataIncompleteBuffer`: tensors that end before or after the end of the file, or a file
 *   that was cut short after it was opened
 * - `TensorNotFound`: no tensor of that name
 */
export type SafetensorsErrorCode =
  | "HeaderTooSmall"
  | "HeaderTooLarge"
  | "InvalidHeaderLength"
  | "InvalidHeader"
  | "InvalidHeaderDeserialization"
  | "InvalidOffset"
  | "ValidationOverflow"
  | "MisalignedSlice"
  | "TensorInvalidInfo"
  | "MetadataIncompleteBuffer"
  | "TensorNotFound";

/**
 * Thrown for a file that breaks a rule of the format, and for a tensor that a file does not have.
 *
 * @example Usage
 * ```ts
 * import { parse, SafetensorsError } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parse(new Uint8Array(3));
 * } catch (error) {
 *   assert(error instanceof SafetensorsError);
 *   assert.equal(error.code, "HeaderTooSmall");
 * }
 * ```
 */
export class SafetensorsError extends Error {
  /** Which rule was broken. */
  readonly code: SafetensorsErrorCode;

  /**
   * Makes the error.
   *
   * @param code Which rule was broken.
   * @param message What could not be done, why, and what was there instead.
   * @param options The error that led to this one, if any, as its `cause`.
   */
  constructor(code: SafetensorsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SafetensorsError";
    this.code = code;
  }
}
