import { createHash } from "node:crypto";
import { allocate } from "../gpu/allocate.ts";
import { rowStride } from "../kernels/linear.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { layerParameters, type Parameter, sharedParameters } from "./parameters.ts";

/** The weights of a model: the layers' on the device, the embeddings on the host. */
export interface Weights {
  /** (V, C): token embeddings. */
  readonly wte: Float32Array;
  /** (context, C): position embeddings. */
  readonly wpe: Float32Array;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
  /**
   * The buffer of a layer's tensor.
   *
   * @param name Without the prefix `h.N.`, such as `ln_1.weight`; the columns of matrices are padded.
   */
  buffer(layer: number, name: string): GPUBuffer;
}

/** Told after each tensor how much of the model is loaded, in numbers. */
export type LoadProgress = (done: number, total: number) => void;

/**
 * Reads a checkpoint tensor by tensor and puts its layers on the device.
 *
 * @throws {RangeError} If a weight is not finite.
 * @throws {AllocationError} If the device has no room.
 */
export async function loadWeights(
  device: GPUDevice,
  checkpoint: Checkpoint,
  onProgress: LoadProgress = () => {},
): Promise<Weights> {
  const { architecture } = checkpoint;
  const shared = sharedParameters(architecture);
  const layers = Array.from(
    { length: architecture.layers },
    (_, layer) => layerParameters(architecture, layer),
  );
  const total = [...shared, ...layers.flat()].reduce((sum, { shape }) => sum + count(shape), 0);
  const hash = createHash("sha256").update(JSON.stringify(architecture));
  let done = 0;

  const read = async (parameter: Parameter): Promise<Float32Array<ArrayBuffer>> => {
    const values = await checkpoint.read(parameter);
    hash.update(parameter.name).update(values);
    onProgress(done += values.length, total);
    return values;
  };
  const onHost = new Map<string, Float32Array>();
  for (const parameter of shared) onHost.set(parameter.name, await read(parameter));
  const onDevice = new Map<string, GPUBuffer>();
  for (const parameter of layers.flat()) {
    onDevice.set(parameter.name, await upload(device, parameter, await read(parameter)));
  }
  return {
    wte: onHost.get("wte.weight")!,
    wpe: onHost.get("wpe.weight")!,
    fingerprint: hash.digest("hex").slice(0, 32),
    buffer: (layer, name) => onDevice.get(`h.${layer}.${name}`)!,
  };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

async function upload(
  device: GPUDevice,
  { name, shape }: Parameter,
  values: Float32Array<ArrayBuffer>,
): Promise<GPUBuffer> {
  const columns = shape.at(-1)!;
  const stride = rowStride(columns);
  const padded = stride === columns ? values : padColumns(values, columns, stride);
  const buffer = await allocate(device, {
    label: name,
    bytes: padded.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

function padColumns(
  values: Float32Array,
  columns: number,
  stride: number,
): Float32Array<ArrayBuffer> {
  const rows = values.length / columns;
  const padded = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    padded.set(values.subarray(row * columns, (row + 1) * columns), row * stride);
  }
  return padded;
}
