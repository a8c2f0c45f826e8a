import code from "../../../shaders/linear_broadcast.wgsl" with { type: "text" };
import { halfCode } from "./half_weights.ts";
import { defineLinear, type Tiling } from "./linear.ts";
import { HALF_REGISTERS, REGISTERS } from "./linear_registers.ts";

/** Tiles in registers, rows shared by subgroups: see `shaders/linear_broadcast.wgsl`. */
export const BROADCAST: Tiling = {
  ...REGISTERS,
  kernel: defineLinear({ name: "linear_broadcast", code, weights: "readTexture" }),
};
/** The same with weights of float16. */
export const HALF_BROADCAST: Tiling = {
  ...HALF_REGISTERS,
  kernel: defineLinear({
    name: "linear_broadcast_f16",
    code: halfCode(code),
    weights: "readHalfTexture",
  }),
};
