// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";
import { quote } from "./_quote.ts";
import type { TensorInfo } from "./tensor_info.ts";

/** Looks a tensor up. */
export function find(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  const info = tensors.get(name);
  if (info === undefined) {
    throw new SafetensorsError(
      "TensorNotFound",
      `Cannot find tensor as the header must name it: current value is ${quote(name)}`,
    );
  }
  return info;
}
