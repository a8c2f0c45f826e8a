import type { Checkpoint } from "../../requests/architecture/checkpoint.ts";
import {
  hostTensors,
  inOrder,
  type LayerPart,
  type Parameter,
  sizeOf,
} from "../../requests/architecture/family.ts";
import { allocate, allocateTexture } from "../gpu/allocate.ts";
import type { Linear, LinearKernel } from "../kernels/linear.ts";

/** A layer norm's parameters. */
export interface NormWeights {
  /** (2, C): gain, and bias. */
  readonly affine: GPUTextureView;
}

/** A layer norm's parameters, on the host too. */
interface AffineOnHost extends NormWeights {
  readonly gainOnHost: Float32Array;
  readonly biasOnHost: Float32Array;
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
  /** (V, C): the unembedding; `wte` itself if they are tied. */
  readonly unembedding: Float32Array;
  /** (context, C): position embeddings. */
  readonly wpe: Float32Array;
  readonly layers: readonly LayerWeights[];
  /** The layer norm before the unembedding. */
  readonly finalNorm: AffineOnHost;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
}

/** Called after each tensor with the numbers loaded so far and in all. */
export type OnProgress = (done: number, total: number) => void;

/** Uploads wait in host memory until the device has them: at most twice this number of bytes. */
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
    /** The kernel that computes a linear with these numbers of inputs and outputs. */
    readonly kernelFor: (inputs: number, outputs: number) => LinearKernel;
    readonly onProgress?: OnProgress | undefined;
  },
): Promise<Weights> {
  const { architecture, tensors } = checkpoint;
  const order = inOrder(tensors);
  const total = order.reduce((sum, parameter) => sum + sizeOf(parameter), 0);
  const hash = checkpoint.hash().update(JSON.stringify(architecture));
  const queue = order.values();
  // Fresh memory costs as much as the reading, so two buffers are reused for all tensors but the embeddings.
  const embeddings = hostTensors(tensors).length;
  const largest = Math.max(...order.slice(embeddings).map(sizeOf));
  const buffers = [new Float32Array(largest), new Float32Array(largest)];
  let reads = 0;
  const read = (): Reading | undefined => {
    const { value: parameter } = queue.next();
    const values = parameter &&
      checkpoint.read(parameter, reads < embeddings ? undefined : buffers[reads % 2]);
    reads++;
    values?.catch(() => {}); // `take` reports it
    return values && { parameter, values };
  };
  let ahead = read();
  let done = 0;
  let waiting = 0;
  let uploaded: Promise<void> = Promise.resolve();

  /** Takes the next tensor, and starts to read the one after it. */
  const take = async ({ name }: Parameter): Promise<Float32Array<ArrayBuffer>> => {
    const { parameter, values } = ahead!;
    if (parameter.name !== name) throw new Error(`${name} is read out of order`);
    const taken = await values;
    ahead = read();
    hash.update(name).update(taken);
    onProgress(done += taken.length, total);
    return taken;
  };
  const vector = async (parameter: Parameter): Promise<GPUBuffer> => {
    const values = await take(parameter);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const size = { label: parameter.name, bytes: values.byteLength, usage };
    const buffer = await allocate(device, size);
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  const affine = async (weight: Parameter, bias: Parameter): Promise<AffineOnHost> => {
    const width = sizeOf(weight) / 4;
    const texture = await allocateTexture(device, { label: weight.name, width, height: 2 });
    const rows: Float32Array[] = [];
    for (const [row, parameter] of [weight, bias].entries()) {
      const values = await take(parameter);
      const layout = { bytesPerRow: values.byteLength };
      device.queue.writeTexture({ texture, origin: [0, row] }, values, layout, [width, 1]);
      rows.push(values.slice());
    }
    return { affine: texture.createView(), gainOnHost: rows[0]!, biasOnHost: rows[1]! };
  };
  const matrix = async (
    parameter: Parameter,
    epilogue: NonNullable<LayerPart["epilogue"]>,
  ): Promise<Linear> => {
    const [inputs, outputs] = parameter.shape as [number, number];
    const shape = { inputs, outputs, epilogue };
    const values = await take(parameter);
    const linear = await kernelFor(inputs, outputs).upload(parameter.name, values, shape);
    waiting += linear.bytes;
    if (waiting > MOST_WAITING) {
      // This awaits the previous submission, which the device worked on while the last tensors were read.
      await uploaded;
      uploaded = device.queue.onSubmittedWorkDone();
      device.queue.submit([]);
      waiting = 0;
    }
    return linear;
  };
  const part = async (
    { name, epilogue, weight, bias }: LayerPart,
  ): Promise<readonly [string, NormWeights | LinearLayer]> => [
    name,
    epilogue === undefined
      ? { affine: (await affine(weight, bias)).affine }
      : { w: await matrix(weight, epilogue), b: await vector(bias) },
  ];

  const wte = await take(tensors.tokens);
  const wpe = await take(tensors.positions);
  const unembedding = tensors.unembedding ? await take(tensors.unembedding) : wte;
  const layers: LayerWeights[] = [];
  for (const parts of tensors.layers) {
    const layer = [];
    for (const it of parts) layer.push(await part(it));
    layers.push(Object.fromEntries(layer) as unknown as LayerWeights);
  }
  const { weight, bias } = tensors.finalNorm;
  const finalNorm = await affine(weight, bias);
  await uploaded;
  return { wte, wpe, unembedding, layers, finalNorm, fingerprint: hash.digest().slice(0, 32) };
}

/** A tensor on its way from the disk. */
interface Reading {
  readonly parameter: Parameter;
  readonly values: Promise<Float32Array<ArrayBuffer>>;
}
