import { inBytes } from "../../sizes.ts";
import { allocate, AllocationError } from "../gpu/allocate.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { WeightType } from "../../requests/weight_type.ts";
import { hostTensors, inOrder, sizeOf, type Tensors } from "../../requests/architecture/family.ts";

/** Memory is probed in pieces of at most this many bytes. */
const PIECE = 2 ** 30;
/** Kernels pad matrices to whole tiles; large matrices grow by this factor at most. */
const PADDING = 1.05;

/**
 * Checks that an adapter can hold a model, before any of it is read.
 *
 * @throws {RangeError} If it can't; the text has the bytes that are needed and those that are there.
 */
export async function checkCapacity(
  gpu: Gpu,
  architecture: Architecture,
  { tensors, freeMemory, weightType = "f32" }: {
    readonly tensors: Tensors;
    readonly weightType?: WeightType;
    /** The machine's free memory in bytes, if it is known. */
    readonly freeMemory?: number | undefined;
  },
): Promise<void> {
  const { channels, inner, layers, context } = architecture;
  const { maxTextureDimension2D, maxTextureArrayLayers } = gpu.device.limits;
  const sizes: [what: string, needed: number, there: number][] = [
    ["textures that are wide, of 3 n_embd / 4 texels,", 3 * channels / 4, maxTextureDimension2D],
    ["textures that are wide, of n_inner / 4 texels,", inner / 4, maxTextureDimension2D],
    ["textures that are high, of n_positions texels,", context, maxTextureDimension2D],
    ["textures of n_layer layers", layers, maxTextureArrayLayers],
  ];
  for (const [what, needed, there] of sizes) {
    if (needed > there) throw tooLarge(`needs ${what} ${needed}`, `has ${there} at most`);
  }
  await checkMemory(gpu, tensors, { free: freeMemory, weightType });
}

async function checkMemory(
  { device, info }: Gpu,
  tensors: Tensors,
  { free, weightType }: {
    readonly free: number | undefined;
    readonly weightType: WeightType;
  },
): Promise<void> {
  const numbers = inOrder(tensors).reduce((sum, it) => sum + sizeOf(it), 0);
  const ofHost = hostTensors(tensors).reduce((sum, it) => sum + sizeOf(it), 0);
  const onHost = 4 * ofHost;
  const onDevice = Math.ceil((weightType === "f32" ? 4 : 2) * PADDING * (numbers - ofHost));
  const needsHost = info.isFallback ? onHost + onDevice : onHost;
  if (free !== undefined && needsHost > free) {
    throw tooLarge(
      `needs ${inBytes(needsHost)} of memory`,
      `this machine has ${inBytes(free)} left`,
    );
  }
  // A software adapter uses the machine's memory, and reports any amount as available.
  if (info.isFallback) return;
  const there = await probe(device, onDevice);
  if (there < onDevice) {
    throw tooLarge(`needs ${inBytes(onDevice)} of its memory`, `has about ${inBytes(there)} left`);
  }
}

function tooLarge(needs: string, has: string): RangeError {
  return new RangeError(`Cannot run this model as this adapter can't hold it: it ${needs}, ${has}`);
}

/** How many of `bytes` bytes the device can allocate; they are freed again at once. */
async function probe(device: GPUDevice, bytes: number): Promise<number> {
  const size = Math.min(PIECE, device.limits.maxBufferSize);
  const pieces: GPUBuffer[] = [];
  let there = 0;
  try {
    while (there < bytes) {
      const piece = Math.ceil(Math.min(size, bytes - there) / 4) * 4;
      const usage = GPUBufferUsage.COPY_DST;
      pieces.push(await allocate(device, { label: "probe", bytes: piece, usage }));
      there += piece;
    }
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
  } finally {
    for (const piece of pieces) piece.destroy();
  }
  return there;
}
