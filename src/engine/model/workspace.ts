import { allocateTexture } from "../gpu/allocate.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";

/** The activations of a pass, (rows, channels) each, four channels a texel. */
export interface Workspace {
  /** How many rows there are. */
  readonly rows: number;
  /** (T, C): the residual stream before a layer's attention, and after its MLP. */
  readonly residual: GPUTextureView;
  /** (T, C): the residual stream between the two. */
  readonly middle: GPUTextureView;
  /** (T, C): what a layer norm makes of it. */
  readonly normed: GPUTextureView;
  /** (T, C): the heads' mixed values, side by side. */
  readonly z: GPUTextureView;
  /** (T, inner): the hidden layer of the MLP. */
  readonly hidden: GPUTextureView;
  /** (T, 3C) of each layer: queries, keys and values, a row for each position. */
  readonly qkv: readonly GPUTextureView[];
  /** The textures of the views above. */
  readonly residualTexture: GPUTexture;
  readonly middleTexture: GPUTexture;
  readonly zTexture: GPUTexture;
  /** The texture of `qkv`: one array layer for each layer of the model. */
  readonly qkvTexture: GPUTexture;
  /** Gives the memory back. */
  destroy(): void;
}

/**
 * Makes the activations for `rows` rows.
 *
 * @param size The rows, and how many layers' queries, keys and values are kept apart: all of the model's by default.
 * @throws {AllocationError} If the device has no room.
 */
export async function allocateWorkspace(
  device: GPUDevice,
  { channels, inner, layers }: Architecture,
  { rows, qkvLayers = layers }: { readonly rows: number; readonly qkvLayers?: number },
): Promise<Workspace> {
  const textures: GPUTexture[] = [];
  const make = async (label: string, width: number, count = 1): Promise<GPUTexture> => {
    const size = { width: width / 4, height: rows, layers: count };
    const texture = await allocateTexture(device, { label, ...size });
    textures.push(texture);
    return texture;
  };
  const destroy = (): void => textures.forEach((texture) => texture.destroy());
  try {
    const residual = await make("residual stream", channels);
    const middle = await make("residual stream after attention", channels);
    const z = await make("mixed values", channels);
    const qkv = await make("queries, keys and values", 3 * channels, qkvLayers);
    return {
      rows,
      residual: residual.createView(),
      middle: middle.createView(),
      normed: (await make("normed residual stream", channels)).createView(),
      z: z.createView(),
      hidden: (await make("hidden layer", inner)).createView(),
      qkv: Array.from(
        { length: qkvLayers },
        (_, layer) =>
          qkv.createView({ dimension: "2d", baseArrayLayer: layer, arrayLayerCount: 1 }),
      ),
      residualTexture: residual,
      middleTexture: middle,
      zTexture: z,
      qkvTexture: qkv,
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
