// Copyright 2026 the Infoflow authors. MIT license.

import type { Dtype } from "./dtype.ts";

/** What the header says about one tensor, after it was checked against the rest of the file. */
export interface TensorInfo {
  /** The type of the elements. */
  readonly dtype: Dtype;
  /**
   * The sizes of the axes in row-major order; empty for a scalar. A size above
   * `Number.MAX_SAFE_INTEGER`, which only a tensor without elements can have, is `Infinity` here
   * rather than a rounded number.
   */
  readonly shape: readonly number[];
  /** Where the tensor begins, in bytes from the end of the header. */
  readonly byteOffset: number;
  /** How many bytes the tensor takes. */
  readonly byteLength: number;
}
