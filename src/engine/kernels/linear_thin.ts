import code from "../../../shaders/linear_thin.wgsl" with { type: "text" };
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { halfCode } from "./half_weights.ts";
import { defineLinear } from "./linear.ts";

/** Few rows, the inputs split over invocations: see `shaders/linear_thin.wgsl`. */
export const THIN = {
  kernel: defineLinear({ name: "linear_thin", code, weights: "read" }),
  rows: wgslConstant(code, "ROWS"),
};

/** The same with weights of float16. */
export const HALF_THIN = {
  kernel: defineLinear({ name: "linear_thin_f16", code: halfCode(code), weights: "read" }),
  rows: THIN.rows,
};
