/** How weights of linears are kept on the device; sums are of float32 either way. */
export const WEIGHT_TYPES = ["f32", "f16"] as const;
export type WeightType = typeof WEIGHT_TYPES[number];
