import type { Architecture } from "../requests/architecture/architecture.ts";
import type { Gpu } from "./gpu/device.ts";
import { AttentionBroadcast } from "./kernels/attention_broadcast.ts";
import { AttentionPattern } from "./kernels/attention_pattern.ts";
import { AttentionRows } from "./kernels/attention_rows.ts";
import { AttentionSubgroups } from "./kernels/attention_subgroups.ts";
import { type AttentionKernels, AttentionTrial } from "./model/attention_trial.ts";
import { MixBroadcast } from "./kernels/mix_broadcast.ts";
import { MixTiles } from "./kernels/mix_tiles.ts";
import { MixValues } from "./kernels/mix_values.ts";
import { MixValuesWide } from "./kernels/mix_values_wide.ts";
import { hasEightLanes, type TuningOptions } from "./tuning.ts";

const SUBGROUPS: AttentionKernels = { attending: AttentionSubgroups, mixing: MixTiles };
const ROWS: AttentionKernels = { attending: AttentionRows, mixing: MixTiles };
const REGISTERS: AttentionKernels = { attending: AttentionPattern, mixing: MixValues };
/** For llvmpipe. SwiftShader, another software adapter, takes minutes to compile it. */
const WIDE: AttentionKernels = { attending: AttentionPattern, mixing: MixValuesWide };
/** For llvmpipe with subgroups of 8 lanes. */
const NARROW: AttentionKernels = { attending: AttentionBroadcast, mixing: MixValuesWide };
/** The same for heads of WIDE_HEAD channels and more, in which every lane has some. */
const BROADCAST: AttentionKernels = { attending: AttentionBroadcast, mixing: MixBroadcast };
const WIDE_HEAD = 64;

/** The ways of computing attention on a GPU, of which each has its best. */
export const GPU_ATTENTION: readonly AttentionKernels[] = [SUBGROUPS, ROWS, REGISTERS];

/** Prompts that are checked and timed. */
const TOKENS = [133, 512];

/** The kernels of attention that suit an adapter by its kind and the heads, without measuring. */
export function attentionFor(
  gpu: Gpu,
  { heads, channels }: { readonly heads: number; readonly channels: number },
): AttentionKernels {
  const { device, info } = gpu;
  if (!info.isFallback) return device.features.has("subgroups") ? SUBGROUPS : ROWS;
  if (hasEightLanes(gpu)) return channels / heads < WIDE_HEAD ? NARROW : BROADCAST;
  return info.description.startsWith("llvmpipe") ? WIDE : REGISTERS;
}

/**
 * Chooses how attention is computed: by the kind of a software adapter; for a GPU, what is kept, else the fastest of
 * what computes right.
 *
 * @throws {Error} If nothing does.
 */
export async function tuneAttention(
  gpu: Gpu,
  { heads, channels }: Architecture,
  { kept, redo = false }: TuningOptions,
  contenders: readonly AttentionKernels[] = GPU_ATTENTION,
): Promise<AttentionKernels> {
  if (!kept || gpu.info.isFallback) return attentionFor(gpu, { heads, channels });
  const shape = `attention ${heads}x${channels / heads}`;
  const device = JSON.stringify(gpu.info) +
    contenders.flatMap(({ attending, mixing }) => [attending.code, mixing.code]).join("");
  const before = redo ? undefined : (await kept.read(device))[shape];
  const known = contenders.find((it) => nameOf(it) === before);
  if (known) return known;
  let best: { readonly kernels: AttentionKernels; readonly ms: number } | undefined;
  for (const kernels of contenders) {
    const ms = await timed(gpu, kernels, { heads, channels });
    if (ms !== undefined && (!best || ms < best.ms)) best = { kernels, ms };
  }
  if (!best) throw new Error("Cannot use this adapter as it computes no attention right");
  await kept.keep(device, { [shape]: nameOf(best.kernels) });
  return best.kernels;
}

/** The ms that kernels take, if they compile and compute right. */
async function timed(
  gpu: Gpu,
  kernels: AttentionKernels,
  shape: { readonly heads: number; readonly channels: number },
): Promise<number | undefined> {
  let sum = 0;
  try {
    for (const tokens of TOKENS) {
      using trial = await AttentionTrial.create(gpu.device, kernels, { ...shape, tokens });
      const isRight = await trial.isRight();
      gpu.check();
      if (!isRight) return undefined;
      const { attend, mix } = await trial.time();
      sum += attend + mix;
    }
    return sum;
  } catch {
    return undefined; // what the device refused, it did not compute
  }
}

function nameOf({ attending, mixing }: AttentionKernels): string {
  return `${attending.name} ${mixing.name}`;
}
