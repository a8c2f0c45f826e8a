import type { DeviceInfo } from "./gpu/device.ts";

/**
 * How many tokens of new prompts are computed in one pass of a batch job. A software adapter
 * takes its time by the token, whatever the pass: 1, 3, 8 and 16 prompts of 19 tokens took 6.9, 5.3, 4.6 and 4.5 ms a
 * prompt. A GPU takes it by the dispatch, until it is full.
 */
export function passTokensOf({ isFallback }: DeviceInfo): number {
  return isFallback ? 256 : 4096;
}
