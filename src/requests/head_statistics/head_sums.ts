import { REACH, SLOTS } from "./slots.ts";

/** The sums that the device returns for some prompts: a few kilobytes for each. */
export interface HeadSums {
  /** (L, H, SLOTS): sums over all targets of all the prompts, see {@linkcode SLOT}. */
  readonly sums: BigUint64Array<ArrayBuffer>;
  /** (L, REACH): sums of flow by layer, for each distance. */
  readonly flows: BigUint64Array<ArrayBuffer>;
  /** (N, L, H, TOP, 2): of each prompt the largest weights, and target * 2^16 + source; -1 where there are fewer. */
  readonly tops: ArrayBuffer;
}

/** The sizes of a model that sums depend on. */
export interface HeadSizes {
  readonly layers: number;
  readonly heads: number;
  readonly context: number;
}

/** How many sums a model's heads have. */
export function headSlots({ layers, heads }: HeadSizes): number {
  return layers * heads * SLOTS;
}

/** How many sums a model's layers have. */
export function flowSlots({ layers }: HeadSizes): number {
  return layers * REACH;
}
