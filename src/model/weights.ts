import { createHash } from "node:crypto";
import { allocate } from "../gpu/allocate.ts";
import type { Epilogue, Linear, LinearKernel } from "../kernels/linear.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { layerParameters, type Parameter, sharedParameters } from "./parameters.ts";

/** A layer norm's parameters, (C) each. */
export interface NormWeights {
  readonly gain: GPUBuffer;
  readonly bias: GPUBuffer;
}

/** A linear's parameters, (K, N) and (N). */
export interface LinearLayer {
  readonly w: Linear;
  readonly b: GPUBuffer;
}

/** The weights of one layer, on the device. */
export interface LayerWeights {
  readonly norm1: NormWeights;
  /** C to 3C: queries, keys and values. */
  readonly attentionIn: LinearLayer;
  /** C to C. */
  readonly attentionOut: LinearLayer;
  readonly norm2: NormWeights;
  /** C to inner. */
  readonly mlpIn: LinearLayer;
  /** inner to C. */
  readonly mlpOut: LinearLayer;
}

/** The weights of a model: the layers' on the device, the embeddings on the host. */
export interface Weights {
  /** (V, C): token embeddings. */
  readonly wte: Float32Array;
  /** (context, C): position embeddings. */
  readonly wpe: Float32Array;
  readonly layers: readonly LayerWeights[];
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
}

/** Told after each tensor how much of the model is loaded, in numbers. */
export type LoadProgress = (done: number, total: number) => void;

/** Uploads wait in host memory until the device has them: beyond so many bytes it is waited for. */
const MOST_WAITING = 64 * 2 ** 20;

/**
 * Reads a checkpoint tensor by tensor and puts its layers on the device.
 *
 * @throws {RangeError} If a weight is not finite.
 * @throws {AllocationError} If the device has no room.
 */
export async function loadWeights(
  device: GPUDevice,
  { checkpoint, kernelFor, onProgress = () => {} }: {
    readonly checkpoint: Checkpoint;
    /** The kernel that is to compute a linear of so many inputs and outputs. */
    readonly kernelFor: (inputs: number, outputs: number) => LinearKernel;
    readonly onProgress?: LoadProgress | undefined;
  },
): Promise<Weights> {
  const { architecture } = checkpoint;
  const parameters = new Map<string, Parameter>();
  for (const parameter of sharedParameters(architecture)) parameters.set(parameter.name, parameter);
  for (let layer = 0; layer < architecture.layers; layer++) {
    for (const parameter of layerParameters(architecture, layer)) {
      parameters.set(parameter.name, parameter);
    }
  }
  const total = parameters.values().reduce((sum, { shape }) => sum + count(shape), 0);
  const hash = createHash("sha256").update(JSON.stringify(architecture));
  let done = 0;
  let waiting = 0;

  const read = async (name: string): Promise<Float32Array<ArrayBuffer>> => {
    const values = await checkpoint.read(parameters.get(name)!);
    hash.update(name).update(values);
    onProgress(done += values.length, total);
    return values;
  };
  const vector = async (name: string): Promise<GPUBuffer> => {
    const values = await read(name);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = await allocate(device, { label: name, bytes: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  const matrix = async (name: string, epilogue: Epilogue): Promise<Linear> => {
    const [inputs, outputs] = parameters.get(name)!.shape as [number, number];
    const shape = { inputs, outputs, epilogue };
    const linear = await kernelFor(inputs, outputs).upload(name, await read(name), shape);
    waiting += linear.bytes;
    if (waiting > MOST_WAITING) {
      device.queue.submit([]);
      await device.queue.onSubmittedWorkDone();
      waiting = 0;
    }
    return linear;
  };
  const norm = async (name: string): Promise<NormWeights> => ({
    gain: await vector(`${name}.weight`),
    bias: await vector(`${name}.bias`),
  });
  const linearLayer = async (name: string, epilogue: Epilogue): Promise<LinearLayer> => ({
    w: await matrix(`${name}.weight`, epilogue),
    b: await vector(`${name}.bias`),
  });

  const wte = await read("wte.weight");
  const wpe = await read("wpe.weight");
  const layers: LayerWeights[] = [];
  for (let layer = 0; layer < architecture.layers; layer++) {
    layers.push({
      norm1: await norm(`h.${layer}.ln_1`),
      attentionIn: await linearLayer(`h.${layer}.attn.c_attn`, "place"),
      attentionOut: await linearLayer(`h.${layer}.attn.c_proj`, "add"),
      norm2: await norm(`h.${layer}.ln_2`),
      mlpIn: await linearLayer(`h.${layer}.mlp.c_fc`, "gelu"),
      mlpOut: await linearLayer(`h.${layer}.mlp.c_proj`, "add"),
    });
  }
  await norm("ln_f"); // no flow needs it, but a checkpoint that is broken here is broken
  return { wte, wpe, layers, fingerprint: hash.digest("hex").slice(0, 32) };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
