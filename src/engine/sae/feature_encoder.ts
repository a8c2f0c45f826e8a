import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { allocate, largestStorage } from "../gpu/allocate.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { GrowingTexture } from "../gpu/growing_texture.ts";
import { StructUniform } from "../gpu/struct_uniform.ts";
import { ENCODE_PART_MEMBERS, SaeEncode } from "../kernels/sae_encode.ts";
import { SAE_ROWS_MEMBERS, SaeInput, type SaeInputSteps } from "../kernels/sae_input.ts";
import { SaeTopk, TOPK_PART_MEMBERS } from "../kernels/sae_topk.ts";
import type { Autoencoder } from "./autoencoder.ts";
import type { KeptFeatures } from "../activations/kept_features.ts";
import { LISTED } from "./active_features.ts";

/** The most bytes of pre-activations that are computed at a time for top-k to choose from. */
const MOST_DENSE = 32 * 2 ** 20;
/**
 * The active features that a position has room for before their number is known. One position of a prompt, BOS, often
 * turns on most of all features: there is room for that as well.
 */
const EXPECTED = 128;

/** Positions to encode. */
export interface EncodedRows {
  /** (T, n): the model's activations at the autoencoder's hook. */
  readonly x: GPUTextureView;
  /** The first position, and how many there are. */
  readonly first: number;
  readonly rows: number;
}

/** The most prompts that are encoded together. */
export const MOST_ENCODED = 64;

/** The conversion of an activation before it is encoded. */
export function inputSteps(config: SaeConfig, epsilon: number): SaeInputSteps {
  const { inputs: channels, conversion, normalization, site } = config;
  if (site === "LN2_NORMALIZED") return { channels, centred: true, norm: "model_norm", epsilon };
  const centred = normalization === "layer_norm" || (site !== "Z" && conversion.isCentred);
  switch (normalization) {
    case "layer_norm":
      return { channels, centred, norm: "layer_norm", epsilon };
    case "constant_norm_rescale":
      return { channels, centred, norm: "constant_norm", epsilon };
    default:
      return { channels, centred, norm: "none", epsilon };
  }
}

interface Kernels {
  readonly input: SaeInput;
  readonly encode: SaeEncode;
  /** Undefined where features don't compete. */
  readonly topk: SaeTopk | undefined;
}

/** Encodes positions with one autoencoder: activations in, the list of active features out. */
export class FeatureEncoder {
  readonly #device: GPUDevice;
  readonly #sae: Autoencoder;
  readonly #kernels: Kernels;
  readonly #blocks: readonly GPUBindGroup[];
  readonly #u: GrowingTexture;
  readonly #sums: GrowingBuffer;
  readonly #rows: StructUniform<typeof SAE_ROWS_MEMBERS[number]>;
  #encodeParts: StructUniform<typeof ENCODE_PART_MEMBERS[number]> | undefined;
  #topkParts: StructUniform<typeof TOPK_PART_MEMBERS[number]> | undefined;
  /** For how many parts of the rows there is room in the two. */
  #steps = 0;
  /** The counter that kernels count in. */
  readonly found: GPUBuffer;

  private constructor(device: GPUDevice, sae: Autoencoder, kernels: Kernels) {
    this.#device = device;
    this.#sae = sae;
    this.#kernels = kernels;
    const { decisions } = sae;
    this.#blocks = sae.encoder.map(({ texture }) =>
      kernels.encode.bind({ w: texture.createView(), decisions })
    );
    const { inputs } = sae.config;
    this.#u = new GrowingTexture(device, {
      label: "what is encoded",
      width: inputs / 4,
      layers: 1,
    });
    this.#sums = new GrowingBuffer(device, "sums of features");
    const members = SAE_ROWS_MEMBERS;
    this.#rows = new StructUniform(device, {
      label: "rows to encode",
      members,
      most: MOST_ENCODED,
    });
    this.found = device.createBuffer({
      label: "features found",
      size: 16,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
  }

  /**
   * Compiles the kernels for an autoencoder.
   *
   * @param epsilon Of the model's layer norms.
   */
  static async create(
    device: GPUDevice,
    sae: Autoencoder,
    epsilon: number,
  ): Promise<FeatureEncoder> {
    const isTopk = sae.config.architecture === "topk";
    return new FeatureEncoder(device, sae, {
      input: await SaeInput.create(device, inputSteps(sae.config, epsilon)),
      encode: await SaeEncode.create(device, { dense: isTopk }),
      topk: isTopk ? await SaeTopk.create(device) : undefined,
    });
  }

  /** The number of activations to make room for, for some more positions. */
  roomFor(rows: number): number {
    const { k, features } = this.#sae.config;
    return Math.min(rows * features, k === undefined ? rows * EXPECTED + features : rows * k);
  }

  /**
   * Makes scratch buffers for a number of positions at once.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async reserve(rows: number): Promise<void> {
    await this.#u.atLeast(rows);
    const { topk } = this.#kernels;
    if (topk) {
      await this.#sums.atLeast(Math.min(rows, this.#mostRows) * 4 * this.#sae.config.features);
    }
    const steps = topk ? Math.ceil(rows / this.#mostRows) : 1;
    if (steps <= this.#steps) return;
    this.#steps = steps;
    this.#encodeParts = new StructUniform(this.#device, {
      label: "blocks to encode",
      members: ENCODE_PART_MEMBERS,
      most: steps * this.#blocks.length,
    });
    this.#topkParts = new StructUniform(this.#device, {
      label: "rows to choose in",
      members: TOPK_PART_MEMBERS,
      most: steps,
    });
  }

  /**
   * Records the encoding of positions of a prompt, after {@linkcode reserve}. Active features are appended to the list.
   * The counter has their number, even if there was no room for all.
   */
  encode(pass: GPUComputePassEncoder, part: EncodedRows, kept: KeptFeatures): void {
    this.#encode(pass, [part], { kept, position: part.first });
  }

  /** The same for several prompts, {@linkcode MOST_ENCODED} at most, whose positions are numbered through. */
  encodeTogether(
    pass: GPUComputePassEncoder,
    parts: readonly EncodedRows[],
    kept: KeptFeatures,
  ): void {
    this.#encode(pass, parts, { kept, position: 0 });
  }

  #encode(
    pass: GPUComputePassEncoder,
    parts: readonly EncodedRows[],
    { kept, position: start }: { readonly kept: KeptFeatures; readonly position: number },
  ): void {
    const { input, encode, topk } = this.#kernels;
    const { features, inputs, k } = this.#sae.config;
    const { shift, inputBias: bias, encoder } = this.#sae;
    const { found } = this;
    const { buffer: listed, scales } = kept;
    const capacity = Math.floor(listed.size / (4 * LISTED));
    this.#device.queue.writeBuffer(found, 0, new Uint32Array([kept.count, 0]));
    const u = this.#u.texture!.createView();
    let rows = 0;
    this.#rows.write(parts.map(({ first, rows: count }) => {
      const row = rows;
      rows += count;
      return { first, row, place: start + row };
    }));
    parts.forEach(({ x, rows: count }, index) => {
      const group = input.bind({ x, shift, bias, u, scales });
      input.dispatch(pass, [[group], this.#rows.at(index)], { rows: count });
    });

    const sums = this.#sums.buffer!;
    const operands = encode.bind({ u, found, listed: topk ? sums : listed });
    const chosen = topk?.bind({ sums, found, listed });
    const encodeParts: Partial<Record<typeof ENCODE_PART_MEMBERS[number], number>>[] = [];
    const topkParts: Record<typeof TOPK_PART_MEMBERS[number], number>[] = [];
    const most = topk ? this.#mostRows : rows;
    for (let row = 0; row < rows; row += most) {
      const count = Math.min(most, rows - row);
      const position = start + row;
      const rowsOfPart = { rows: count, row, position, inputs: inputs / 4, features, capacity };
      encoder.forEach(({ first: feature, end, pitch }, block) => {
        const part = this.#encodeParts!.at(
          encodeParts.push({ ...rowsOfPart, pitch, feature, end }) - 1,
        );
        const size = { rows: count, columns: end - feature };
        encode.dispatch(pass, [[operands], [this.#blocks[block]!], part], size);
      });
      if (!topk) continue;
      const topkPart = this.#topkParts!.at(
        topkParts.push({ position, features, k: k!, capacity }) - 1,
      );
      topk.dispatch(pass, [[chosen!], topkPart], { rows: count });
    }
    this.#encodeParts!.write(encodeParts);
    this.#topkParts!.write(topkParts);
  }

  /** Frees the scratch memory, not the autoencoder's own. */
  destroy(): void {
    this.#u.texture?.destroy();
    this.#sums.buffer?.destroy();
    this.found.destroy();
  }

  /** How many positions sums are written out for at a time. */
  get #mostRows(): number {
    const bytes = Math.min(MOST_DENSE, largestStorage(this.#device));
    return Math.max(1, Math.floor(bytes / (4 * this.#sae.config.features)));
  }
}

/**
 * Makes room for features of a prompt.
 *
 * @param size How many activations, and how many positions the prompt has room for.
 * @throws {AllocationError} If the device has none.
 */
export async function allocateFeatures(
  device: GPUDevice,
  { activations, positions }: { readonly activations: number; readonly positions: number },
): Promise<KeptFeatures> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = await allocate(device, {
    label: "features that are on",
    bytes: 4 * LISTED * Math.max(activations, 64),
    usage,
  });
  try {
    const scales = await allocate(device, {
      label: "scales of what is encoded",
      bytes: 16 * positions,
      usage,
    });
    return { buffer, scales, rows: 0, count: 0 };
  } catch (error) {
    buffer.destroy();
    throw error;
  }
}
