import type { Gpu } from "./gpu/device.ts";
import { LinearKernel, type Tiling } from "./kernels/linear.ts";
import type { WeightType } from "../requests/weight_type.ts";
import { BROADCAST, HALF_BROADCAST } from "./kernels/linear_broadcast.ts";
import { HALF_REGISTERS, REGISTERS } from "./kernels/linear_registers.ts";
import { HALF_TALL_TILES, HALF_TILES, TALL_TILES, TILES } from "./kernels/linear_tiles.ts";
import { checkLinear } from "./kernels/check_linear.ts";
import { timeLinear } from "./kernels/time_linear.ts";
import type { Architecture } from "../requests/architecture/architecture.ts";

/**
 * The ways of computing a linear, of which each device has its best: what suits software adapters first, with subgroups
 * and without, then what suits GPUs.
 */
export const TILINGS: readonly Tiling[] = [BROADCAST, REGISTERS, TILES, TALL_TILES];
/** The same with weights of float16. */
export const HALF_TILINGS: readonly Tiling[] = [
  HALF_BROADCAST,
  HALF_REGISTERS,
  HALF_TILES,
  HALF_TALL_TILES,
];

/** The ways of computing linears whose weights are kept so. */
export function tilingsOf(weights: WeightType): readonly Tiling[] {
  return weights === "f32" ? TILINGS : HALF_TILINGS;
}

/** Stored choices of kernels, by device. */
export interface KeptChoices {
  /**
   * The kernel of each shape.
   *
   * @param device What they are good for, as one text: the adapter and the shaders.
   */
  read(device: string): Promise<Readonly<Record<string, string>>>;
  /** Keeps choices, beside those of other shapes. */
  keep(device: string, choices: Readonly<Record<string, string>>): Promise<void>;
}

/** The file of the choices, and whether to make them again. */
export interface TuningOptions {
  /** Without it the choice is made by the kind of the adapter. */
  readonly kept?: KeptChoices | undefined;
  readonly redo?: boolean | undefined;
}

/** The kernels that a device's linears are computed with. */
export interface LinearKernels {
  /** The kernel for a linear with these numbers of inputs and outputs. */
  kernelFor(inputs: number, outputs: number): LinearKernel;
  /** What was chosen for each shape, such as `768x3072`. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Rows of a short and of a longer prompt. */
const ROWS = [16, 128];
/** A tiling that takes this many times as long as the best one for a short prompt is not tried on a longer one. */
const HOPELESS = 3;

/**
 * Chooses, and compiles, the kernel for each shape of a model's linears: the one that is kept; else, of those that compute
 * right, the first on a software adapter, the fastest on a GPU.
 *
 * @throws {Error} If none does.
 */
export async function tuneLinears(
  gpu: Gpu,
  architecture: Architecture,
  { kept, redo = false }: TuningOptions,
  tilings: readonly Tiling[] = TILINGS,
): Promise<LinearKernels> {
  const kernels = new Map<string, LinearKernel>();
  const compiled = async (tiling: Tiling): Promise<LinearKernel> => {
    const known = kernels.get(tiling.kernel.name);
    const kernel = known ?? await LinearKernel.create(gpu.device, tiling);
    kernels.set(tiling.kernel.name, kernel);
    return kernel;
  };
  const untuned = tilings[!gpu.info.isFallback ? 2 : hasEightLanes(gpu) ? 0 : 1]!;
  const device = JSON.stringify(gpu.info) +
    tilings.flatMap(({ kernel, thin }) => [kernel.code, thin?.kernel.code]).join("");
  const before = kept && !redo ? await kept.read(device) : {};
  const choices: Record<string, string> = {};
  let isNew = false;
  for (const [inputs, outputs] of linearShapes(architecture)) {
    const shape = `${inputs}x${outputs}`;
    let tiling = tilings.find(({ kernel }) => kernel.name === before[shape]);
    if (!tiling && kept) {
      tiling = (await bestOf(gpu, tilings, { compiled, inputs, outputs })).tiling;
      isNew = true;
    }
    choices[shape] = (await compiled(tiling ?? untuned)).name;
  }
  if (kept && isNew) await kept.keep(device, choices);
  return {
    kernelFor: (inputs, outputs) => kernels.get(choices[`${inputs}x${outputs}`]!)!,
    choices,
  };
}

/** Whether a software adapter's subgroups have 8 lanes or more: llvmpipe says how many bits its registers have. */
export function hasEightLanes({ device, info }: Gpu): boolean {
  const bits = info.description.match(/^llvmpipe \(.*?(\d+) bits\)/)?.[1];
  return device.features.has("subgroups") && Number(bits) >= 8 * 32;
}

/** The inputs and outputs of a layer's linears. */
function linearShapes({ channels: C, inner }: Architecture): [inputs: number, outputs: number][] {
  return [[C, 3 * C], [C, C], [C, inner], [inner, C]];
}

/**
 * The kernel for a shape. A software adapter gets the first if it computes right, which is 3 to 40 times as fast as the
 * others there: comparing them takes seconds of the first start.
 */
async function bestOf(
  gpu: Gpu,
  tilings: readonly Tiling[],
  { compiled, ...shape }: {
    readonly compiled: (tiling: Tiling) => Promise<LinearKernel>;
    readonly inputs: number;
    readonly outputs: number;
  },
): Promise<LinearKernel> {
  if (gpu.info.isFallback) {
    const [first] = await contendersOf(tilings.slice(0, 1), compiled);
    if (first && await isRight(gpu, first, shape)) return first;
  }
  return await fastest(gpu, await contendersOf(tilings, compiled), shape);
}

/** The kernels that compile. */
async function contendersOf(
  tilings: readonly Tiling[],
  compiled: (tiling: Tiling) => Promise<LinearKernel>,
): Promise<LinearKernel[]> {
  const outcomes = await Promise.allSettled(tilings.map(compiled));
  return outcomes.flatMap((it) => it.status === "fulfilled" ? [it.value] : []);
}

/** Checks results before times: a kernel that computes nothing, or the wrong thing, may well be the fastest. */
async function fastest(
  gpu: Gpu,
  contenders: readonly LinearKernel[],
  shape: { inputs: number; outputs: number },
): Promise<LinearKernel> {
  let best: { kernel: LinearKernel; short: number; total: number } | undefined;
  for (const kernel of contenders) {
    if (!await isRight(gpu, kernel, shape)) continue;
    const short = await timeLinear(gpu.device, kernel, { ...shape, rows: ROWS[0]! });
    if (best && short > HOPELESS * best.short) continue;
    const total = short + await timeLinear(gpu.device, kernel, { ...shape, rows: ROWS[1]! });
    if (!best || total < best.total) best = { kernel, short, total };
  }
  if (best) return best.kernel;
  throw new Error(
    `Cannot use this adapter as it computes no product of ${shape.inputs} x ${shape.outputs} right`,
  );
}

async function isRight(
  gpu: Gpu,
  kernel: LinearKernel,
  shape: { inputs: number; outputs: number },
): Promise<boolean> {
  const isClose = await checkLinear(gpu.device, kernel, shape);
  try {
    gpu.check();
    return isClose;
  } catch {
    return false; // what the device refused, it did not compute
  }
}
