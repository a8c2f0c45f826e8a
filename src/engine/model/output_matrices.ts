import { allocate, allocateTexture, TEXEL } from "../gpu/allocate.ts";
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
 * Makes a copy of W_O that head by head kernels can read. How the linears keep it differs between devices, so that it is
 * asked of them: the identity matrix goes in, and the matrix comes out, to the bit.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function makeOutputMatrices(
  device: GPUDevice,
  { layers, channels }: Architecture,
  forward: Forward,
): Promise<OutputMatrices> {
  const square = { width: channels / 4, height: channels };
  const matrices = await allocateTexture(device, {
    label: "attention output matrices",
    layers,
    ...square,
  });
  const identity = await allocateTexture(device, { label: "identity matrix", ...square });
  const nothing = await allocateTexture(device, { label: "zeros", ...square });
  const zeros = await allocate(device, {
    label: "no bias",
    bytes: 4 * channels,
    usage: GPUBufferUsage.STORAGE,
  });
  const rows = makeUniform(device, "rows of the pass", new Uint32Array([channels, 0]));
  const ones = new Float32Array(channels ** 2);
  for (let c = 0; c < channels; c++) ones[c * (channels + 1)] = 1;
  const layout = { bytesPerRow: 4 * channels };
  device.queue.writeTexture({ texture: identity }, ones, layout, [channels / 4, channels]);

  const view = (layer: number): GPUTextureView =>
    matrices.createView({ dimension: "2d", baseArrayLayer: layer, arrayLayerCount: 1 });
  const encoder = device.createCommandEncoder({ label: "attention output matrices" });
  const pass = encoder.beginComputePass();
  for (let layer = 0; layer < layers; layer++) {
    const { w } = forward.layerWeights(layer).attentionOut;
    const [x, residual] = [identity.createView(), nothing.createView()];
    const operands = w.bind({ rows, x, b: zeros, residual, y: view(layer) });
    w.dispatch(pass, operands, { rows: channels });
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  for (const it of [identity, nothing, zeros, rows]) it.destroy();
  const { width, height, depthOrArrayLayers } = matrices;
  return { view, bytes: width * height * depthOrArrayLayers * TEXEL };
}
