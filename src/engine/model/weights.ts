import { createHash } from "node:crypto";
import { allocate } from "../gpu/allocate.ts";
import type { Epilogue, Linear, LinearKernel } from "../kernels/linear.ts";
import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import {
  layerParameters,
  type Parameter,
  sharedParameters,
  UNEMBEDDING,
} from "../../requests/architecture/parameters.ts";

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
  /** (V, C): what makes logits of the last layer's stream; `wte` itself where they are tied. */
  readonly unembedding: Float32Array;
  /** (context, C): position embeddings. */
  readonly wpe: Float32Array;
  readonly layers: readonly LayerWeights[];
  /** The layer norm before the unembedding. */
  readonly finalNorm: NormWeights & {
    readonly gainOnHost: Float32Array;
    readonly biasOnHost: Float32Array;
  };
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
}

/** Told after each tensor how much of the model is loaded, in numbers. */
export type LoadProgress = (done: number, total: number) => void;

/** Uploads wait in host memory until the device has them: so many bytes are handed to it at once, twice at most. */
const MOST_WAITING = 16 * 2 ** 20;

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
  const order = inOrderOfUse(architecture);
  const total = order.reduce((sum, { shape }) => sum + count(shape), 0);
  const hash = createHash("sha256").update(JSON.stringify(architecture));
  const queue = order.values();
  // Fresh memory costs as much as the reading. Two tensors are in use at a time, the embeddings stay.
  const embeddings = architecture.isTied ? 2 : 3;
  const largest = Math.max(...order.slice(embeddings).map(({ shape }) => count(shape)));
  const buffers = [new Float32Array(largest), new Float32Array(largest)];
  let reads = 0;
  const read = (): Reading | undefined => {
    const { value: parameter } = queue.next();
    const values = parameter &&
      checkpoint.read(parameter, reads < embeddings ? undefined : buffers[reads % 2]);
    reads++;
    values?.catch(() => {}); // whoever takes it is told
    return values && { parameter, values };
  };
  let ahead = read();
  let done = 0;
  let waiting = 0;
  let uploaded: Promise<void> = Promise.resolve();

  /** Takes the next tensor, and has the one after it read meanwhile. */
  const take = async (name: string): Promise<Taken> => {
    const { parameter, values } = ahead!;
    if (parameter.name !== name) throw new Error(`${name} is read out of order`);
    const taken = await values;
    ahead = read();
    hash.update(name).update(taken);
    onProgress(done += taken.length, total);
    return { values: taken, shape: parameter.shape };
  };
  const vector = async (name: string): Promise<GPUBuffer> => {
    const { values } = await take(name);
    return await put(name, values);
  };
  const put = async (name: string, values: Float32Array<ArrayBuffer>): Promise<GPUBuffer> => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = await allocate(device, { label: name, bytes: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  const matrix = async (name: string, epilogue: Epilogue): Promise<Linear> => {
    const { values, shape } = await take(name);
    const [inputs, outputs] = shape as [number, number];
    const linear = await kernelFor(inputs, outputs).upload(name, values, {
      inputs,
      outputs,
      epilogue,
    });
    waiting += linear.bytes;
    if (waiting > MOST_WAITING) {
      // Asked before the next submission, it is about the one before, which the device was busy with meanwhile.
      await uploaded;
      uploaded = device.queue.onSubmittedWorkDone();
      device.queue.submit([]);
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

  const { values: wte } = await take("wte.weight");
  const { values: wpe } = await take("wpe.weight");
  const unembedding = architecture.isTied ? wte : (await take(UNEMBEDDING)).values;
  const layers: LayerWeights[] = [];
  for (let layer = 0; layer < architecture.layers; layer++) {
    layers.push({
      norm1: await norm(`h.${layer}.ln_1`),
      attentionIn: await linearLayer(`h.${layer}.attn.c_attn`, "place"),
      attentionOut: await linearLayer(`h.${layer}.attn.c_proj`, "add"),
      norm2: await norm(`h.${layer}.ln_2`),
      mlpIn: await linearLayer(`h.${layer}.mlp.c_fc`, architecture.activation),
      mlpOut: await linearLayer(`h.${layer}.mlp.c_proj`, "add"),
    });
  }
  const [gainOnHost, biasOnHost] = [
    (await take("ln_f.weight")).values.slice(),
    (await take("ln_f.bias")).values.slice(),
  ];
  const finalNorm = {
    gain: await put("ln_f.weight", gainOnHost),
    bias: await put("ln_f.bias", biasOnHost),
    gainOnHost,
    biasOnHost,
  };
  await uploaded;
  return { wte, wpe, unembedding, layers, finalNorm, fingerprint: hash.digest("hex").slice(0, 32) };
}

/** A tensor on its way from the disk. */
interface Reading {
  readonly parameter: Parameter;
  readonly values: Promise<Float32Array<ArrayBuffer>>;
}

/** A tensor that was read. */
interface Taken {
  readonly values: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** The tensors as {@linkcode loadWeights} takes them. */
function inOrderOfUse(architecture: Architecture): Parameter[] {
  const shared = sharedParameters(architecture);
  const layers = Array.from(
    { length: architecture.layers },
    (_, layer) => layerParameters(architecture, layer),
  );
  return [...shared.slice(0, -2), ...layers.flat(), ...shared.slice(-2)];
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
