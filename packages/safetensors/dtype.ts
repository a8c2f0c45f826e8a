// Copyright 2026 the Infoflow authors. MIT license.

/** The type of a tensor's elements, as the header spells it. */
export type Dtype =
  | "BOOL"
  | "F4"
  | "F6_E2M3"
  | "F6_E3M2"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

/** What one element of a {@linkcode Dtype} is. */
export interface DtypeInfo {
  /** The size of one element in bits; it is less than 8 for F4 and the two F6. */
  readonly bits: number;
  /** The element in words. */
  readonly description: string;
}

/**
 * The 22 dtypes of the format. "E" and "M" count the bits of a float's exponent and of its
 * mantissa; all multi-byte elements are little-endian.
 *
 * @example Usage
 * ```ts
 * import { DTYPES } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * assert.equal(DTYPES.BF16.bits, 16);
 * assert.equal(Object.keys(DTYPES).length, 22);
 * ```
 */
export const DTYPES: Readonly<Record<Dtype, DtypeInfo>> = {
  BOOL: { bits: 8, description: "boolean, a byte each" },
  F4: { bits: 4, description: "OCP Microscaling float, E2M1, two to a byte" },
  F6_E2M3: { bits: 6, description: "OCP Microscaling float, E2M3, four to three bytes" },
  F6_E3M2: { bits: 6, description: "OCP Microscaling float, E3M2, four to three bytes" },
  U8: { bits: 8, description: "unsigned 8-bit integer" },
  I8: { bits: 8, description: "signed 8-bit integer" },
  F8_E5M2: { bits: 8, description: "8-bit float, E5M2, with infinities" },
  F8_E4M3: { bits: 8, description: "8-bit float, E4M3, finite or NaN" },
  F8_E8M0: { bits: 8, description: "OCP Microscaling scale, E8M0, a power of two or NaN" },
  F8_E4M3FNUZ: { bits: 8, description: "8-bit float, E4M3, finite or NaN, no negative zero" },
  F8_E5M2FNUZ: { bits: 8, description: "8-bit float, E5M2, finite or NaN, no negative zero" },
  I16: { bits: 16, description: "signed 16-bit integer" },
  U16: { bits: 16, description: "unsigned 16-bit integer" },
  F16: { bits: 16, description: "IEEE 754 half precision float, E5M10" },
  BF16: { bits: 16, description: "brain float, E8M7: the upper half of an F32" },
  I32: { bits: 32, description: "signed 32-bit integer" },
  U32: { bits: 32, description: "unsigned 32-bit integer" },
  F32: { bits: 32, description: "IEEE 754 single precision float, E8M23" },
  C64: { bits: 64, description: "complex number, two F32: real part, imaginary part" },
  F64: { bits: 64, description: "IEEE 754 double precision float, E11M52" },
  I64: { bits: 64, description: "signed 64-bit integer" },
  U64: { bits: 64, description: "unsigned 64-bit integer" },
};
