import { allocate, allocateTexture, TEXEL } from "../gpu/allocate.ts";
import { Owned } from "../gpu/owned.ts";
import { Recorder } from "../gpu/recorder.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward } from "./forward.ts";

/** The attention's output matrices, W_O, of all layers, a row for each channel of the heads. */
export interface OutputMatrices {
  /** (C, C) of a layer. */
  view(layer: number): GPUTextureView;
  readonly bytes: number;
}

/**
 * Makes a copy of W_O in row order. Each linear kernel packs its weights in its own way, so the identity matrix is
 * multiplied by W_O, which is exact to the bit.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function makeOutputMatrices(
  device: GPUDevice,
  { layers, channels }: Architecture,
  forward: Forward,
): Promise<OutputMatrices> {
  using owned = new Owned();
  using passing = new Owned();
  const square = { width: channels / 4, height: channels };
  const texture = async (label: string, count: number): Promise<GPUTexture> =>
    await allocateTexture(device, { label, layers: count, ...square });
  const matrices = owned.add(await texture("attention output matrices", layers));
  const identity = passing.add(await texture("identity matrix", 1));
  const nothing = passing.add(await texture("zeros", 1));
  const noBias = { label: "no bias", bytes: 4 * channels, usage: GPUBufferUsage.STORAGE };
  const zeros = passing.add(await allocate(device, noBias));
  const rows = makeUniform(device, "rows of the pass", new Uint32Array([channels, 0]));
  passing.add(rows);
  const ones = new Float32Array(channels ** 2);
  for (let c = 0; c < channels; c++) ones[c * (channels + 1)] = 1;
  const layout = { bytesPerRow: 4 * channels };
  device.queue.writeTexture({ texture: identity }, ones, layout, [channels / 4, channels]);

  const view = (layer: number): GPUTextureView =>
    matrices.createView({ dimension: "2d", baseArrayLayer: layer, arrayLayerCount: 1 });
  const recorder = new Recorder(device, "attention output matrices");
  for (let layer = 0; layer < layers; layer++) {
    const { w } = forward.layerWeights(layer).attentionOut;
    const [x, residual] = [identity.createView(), nothing.createView()];
    const operands = w.bind({ rows, x, b: zeros, residual, y: view(layer) });
    w.dispatch(recorder.pass, operands, { rows: channels });
  }
  device.queue.submit([recorder.finish()]);
  owned.keep(); // they live as long as the engine
  const { width, height, depthOrArrayLayers } = matrices;
  return { view, bytes: width * height * depthOrArrayLayers * TEXEL };
}
