import code from "../../../shaders/linear_thin.wgsl" with { type: "text" };
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { defineLinear } from "./linear.ts";

/** Few rows, the inputs split over invocations: see `shaders/linear_thin.wgsl`. */
export const THIN = {
  kernel: defineLinear({ name: "linear_thin", code, weights: "read" }),
  rows: wgslConstant(code, "ROWS"),
};
