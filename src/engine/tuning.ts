import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Gpu } from "./gpu/device.ts";
import { LinearKernel, type Tiling } from "./kernels/linear.ts";
import { REGISTERS } from "./kernels/linear_registers.ts";
import { WORKGROUP } from "./kernels/linear_workgroup.ts";
import { timeLinear } from "./kernels/time_linear.ts";
import type { Architecture } from "../requests/architecture/architecture.ts";

/** The ways of computing a linear, of which each device has its best. */
export const TILINGS: readonly Tiling[] = [REGISTERS, WORKGROUP];

/** Where choices are kept, and whether to make them again. */
export interface TuningOptions {
  /** A JSON file; without one the choice is made by the kind of the adapter. */
  readonly file?: string | undefined;
  readonly redo?: boolean | undefined;
}

/** The kernels that a device's linears are computed with. */
export interface LinearKernels {
  /** The kernel for a linear of so many inputs and outputs. */
  kernelFor(inputs: number, outputs: number): LinearKernel;
  /** What was chosen for each shape, such as `768x3072`. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Rows of a short and of a longer prompt. */
const ROWS = [16, 128];
/** A tiling that takes so many times as long as the best one for a short prompt is not tried on a longer. */
const HOPELESS = 3;

/**
 * Chooses, and compiles, the kernel for each shape of a model's linears: from the file if it has been measured there on
 * this adapter with these shaders, else by measuring.
 */
export async function tuneLinears(
  gpu: Gpu,
  architecture: Architecture,
  { file, redo = false }: TuningOptions,
): Promise<LinearKernels> {
  const kernels = new Map<string, LinearKernel>();
  const compiled = async (tiling: Tiling): Promise<LinearKernel> => {
    const known = kernels.get(tiling.kernel.name);
    const kernel = known ?? await LinearKernel.create(gpu.device, tiling);
    kernels.set(tiling.kernel.name, kernel);
    return kernel;
  };
  const untuned = gpu.info.isFallback ? REGISTERS : WORKGROUP;
  const key = adapterKey(gpu);
  const kept = file === undefined || redo ? {} : await readChoices(file, key);
  const choices: Record<string, string> = {};
  let isNew = false;
  for (const [inputs, outputs] of linearShapes(architecture)) {
    const shape = `${inputs}x${outputs}`;
    let tiling = TILINGS.find(({ kernel }) => kernel.name === kept[shape]);
    if (!tiling && file !== undefined) {
      const contenders = await Promise.all(TILINGS.map(compiled));
      tiling = (await fastest(gpu.device, contenders, { inputs, outputs })).tiling;
      isNew = true;
    }
    choices[shape] = (await compiled(tiling ?? untuned)).name;
  }
  if (file !== undefined && isNew) await keepChoices(file, key, choices);
  return {
    kernelFor: (inputs, outputs) => kernels.get(choices[`${inputs}x${outputs}`]!)!,
    choices,
  };
}

/** The inputs and outputs of a layer's linears. */
function linearShapes({ channels: C, inner }: Architecture): [inputs: number, outputs: number][] {
  return [[C, 3 * C], [C, C], [C, inner], [inner, C]];
}

/** The adapter and the shaders: a choice is good for these only. */
function adapterKey({ info }: Gpu): string {
  const hash = createHash("sha256").update(JSON.stringify(info));
  for (const { kernel } of TILINGS) hash.update(kernel.code);
  return hash.digest("hex").slice(0, 16);
}

async function fastest(
  device: GPUDevice,
  contenders: readonly LinearKernel[],
  shape: { inputs: number; outputs: number },
): Promise<LinearKernel> {
  let best: { kernel: LinearKernel; short: number; total: number } | undefined;
  for (const kernel of contenders) {
    const short = await timeLinear(device, kernel, { ...shape, rows: ROWS[0]! });
    if (best && short > HOPELESS * best.short) continue;
    const total = short + await timeLinear(device, kernel, { ...shape, rows: ROWS[1]! });
    if (!best || total < best.total) best = { kernel, short, total };
  }
  return best!.kernel;
}

type Choices = Record<string, Record<string, string>>;

async function readChoices(file: string, key: string): Promise<Record<string, string>> {
  return (await readAll(file))[key] ?? {};
}

/** A file that is missing, or is not ours, holds no choices. */
async function readAll(file: string): Promise<Choices> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(file));
    return typeof value === "object" && value !== null ? value as Choices : {};
  } catch {
    return {};
  }
}

/** Where the file can't be written, the next start measures again. */
async function keepChoices(
  file: string,
  key: string,
  choices: Readonly<Record<string, string>>,
): Promise<void> {
  const all = await readAll(file);
  const merged = { ...all, [key]: { ...all[key], ...choices } };
  try {
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(`${file}.new`, JSON.stringify(merged, null, 2) + "\n");
    await Deno.rename(`${file}.new`, file);
  } catch { /* as it says above */ }
}
