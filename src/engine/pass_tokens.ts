import type { EngineInfo } from "./engine_info.ts";
import type { TuningOptions } from "./tuning.ts";

/**
 * A software adapter takes its time by the token, and some ms for each pass: so many tokens that these don't count, which
 * are more the smaller the model is, and no more, as people wait for the pass.
 */
const SOFTWARE = { least: 128, most: 512, products: 2 ** 29 } as const;
/** A GPU takes its time by the dispatch, until it is full. */
const UNTUNED = 4096;
/** What is tried on one, in their order, as long as each is faster than the one before by so much. */
const TRIED = [256, 1024, 4096, 16_384];
const GAIN = 1.05;

/**
 * Chooses how many tokens of new prompts are computed in one pass of a batch job: what was measured on this adapter with
 * a model of this shape, or is measured now.
 *
 * @param time Runs a pass over this number of tokens of short prompts. @returns Ms.
 */
export async function tunePassTokens(
  { architecture: { channels, layers }, device }: Pick<EngineInfo, "architecture" | "device">,
  { kept, redo = false }: TuningOptions,
  time: (tokens: number) => Promise<number>,
): Promise<number> {
  if (device.isFallback) {
    const { least, most, products } = SOFTWARE;
    const ofToken = 12 * layers * channels ** 2;
    return Math.min(most, Math.max(least, Math.round(products / ofToken)));
  }
  if (!kept) return UNTUNED;
  const key = `passes of ${JSON.stringify(device)}`;
  const shape = `${layers}x${channels}`;
  const known = Number((redo ? {} : await kept.read(key))[shape]);
  if (TRIED.includes(known)) return known;
  let best = { tokens: TRIED[0]!, rate: 0 };
  for (const tokens of TRIED) {
    const ms = Math.min(await time(tokens), await time(tokens));
    const rate = tokens / ms;
    if (rate < GAIN * best.rate) break;
    best = { tokens, rate };
  }
  await kept.keep(key, { [shape]: String(best.tokens) });
  return best.tokens;
}
