import code from "../../../shaders/mix_values_wide.wgsl" with { type: "text" };
import { defineMixing, type Mixing } from "./mix_values.ts";

/** z = A v for every head, on llvmpipe, see `shaders/mix_values_wide.wgsl`. */
export const MixValuesWide: Mixing = defineMixing("mix_values_wide", code);
