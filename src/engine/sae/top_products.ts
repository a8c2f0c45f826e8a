import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { allocateTexture } from "../gpu/allocate.ts";
import { Owned } from "../gpu/owned.ts";
import { LISTED, sortFeatures } from "./active_features.ts";
import { uploadAutoencoder } from "./autoencoder.ts";
import { allocateFeatures, FeatureEncoder } from "./feature_encoder.ts";

/** Reads what commands leave in buffers. */
export type ReadBuffers = (
  encode: (pass: GPUComputePassEncoder) => void,
  result: readonly { readonly buffer: GPUBuffer; readonly bytes: number }[],
) => Promise<Float32Array<ArrayBuffer>>;

/** The k largest products of each row, the largest first; -1 and 0 where fewer are above 0. */
export interface TopProductsFound {
  /** k */
  readonly width: number;
  /** (R, k) */
  readonly columns: Int32Array<ArrayBuffer>;
  readonly products: Float32Array<ArrayBuffer>;
}

/** How many rows are multiplied at a time. */
const ROWS = 1024;

/**
 * Multiplies rows with a matrix on the device and finds the largest products of each row, equal ones by column, with
 * the kernels of topk autoencoders.
 */
export class TopProducts implements Disposable {
  readonly #device: GPUDevice;
  readonly #channels: number;
  readonly #k: number;
  readonly #encoder: FeatureEncoder;
  readonly #owned: () => void;

  private constructor(
    device: GPUDevice,
    { channels, k }: { readonly channels: number; readonly k: number },
    { encoder, owned }: { readonly encoder: FeatureEncoder; readonly owned: () => void },
  ) {
    this.#device = device;
    this.#channels = channels;
    this.#k = k;
    this.#encoder = encoder;
    this.#owned = owned;
  }

  /**
   * Puts a matrix on the device.
   *
   * @param matrix (channels, columns)
   * @throws {AllocationError} If the device has no room.
   */
  static async create(
    device: GPUDevice,
    matrix: Float32Array<ArrayBuffer>,
    { channels, k }: { readonly channels: number; readonly k: number },
  ): Promise<TopProducts> {
    using owned = new Owned();
    const columns = matrix.length / channels;
    const config = { ...CONFIG, inputs: channels, features: columns, k };
    const decisions = new Float32Array(4 * columns);
    for (let column = 0; column < columns; column++) decisions[4 * column + 2] = 1;
    const zeros = new Float32Array(channels);
    const sae = owned.add(
      await uploadAutoencoder(device, {
        config,
        encoder: matrix,
        decisions,
        inputBias: zeros,
        decoder: new Float32Array(columns),
        decoderBias: new Float32Array(1),
      }, { name: "products", shift: zeros }),
    );
    const encoder = owned.add(await FeatureEncoder.create(device, sae, 0));
    return new TopProducts(device, { channels, k }, { encoder, owned: owned.keep() });
  }

  /**
   * Finds the k largest products of each row.
   *
   * @param rows (R, channels)
   */
  async of(rows: Float32Array<ArrayBuffer>, read: ReadBuffers): Promise<TopProductsFound> {
    const C = this.#channels;
    const k = this.#k;
    const count = rows.length / C;
    const columns = new Int32Array(count * k).fill(-1);
    const products = new Float32Array(count * k);
    using owned = new Owned();
    const some = Math.min(ROWS, count);
    const size = { label: "rows of products", width: C / 4, height: some };
    const texture = owned.add(await allocateTexture(this.#device, size));
    const kept = await allocateFeatures(this.#device, { activations: some * k, positions: some });
    owned.add(kept.buffer);
    owned.add(kept.scales);
    await this.#encoder.reserve(some);
    for (let first = 0; first < count; first += ROWS) {
      const part = Math.min(ROWS, count - first);
      const values = rows.subarray(first * C, (first + part) * C);
      const layout = { bytesPerRow: 4 * C };
      this.#device.queue.writeTexture({ texture }, values, layout, [C / 4, part]);
      const x = texture.createView();
      const numbers = await read(
        (pass) => this.#encoder.encode(pass, { x, first: 0, rows: part }, kept),
        [
          { buffer: this.#encoder.found, bytes: 16 },
          { buffer: kept.buffer, bytes: 4 * LISTED * part * k },
        ],
      );
      const words = new Uint32Array(numbers.buffer);
      const found = sortFeatures(words.slice(4, 4 + words[0]! * LISTED), part);
      const places = new Uint32Array(part);
      found.positions.forEach((row, n) => {
        const at = (first + row) * k + places[row]!++;
        columns[at] = found.features[n]!;
        products[at] = found.activations[n]!;
      });
    }
    return { width: k, columns, products };
  }

  /** Gives the memory back. */
  [Symbol.dispose](): void {
    this.#owned();
  }
}

const CONFIG: Omit<SaeConfig, "inputs" | "features" | "k"> = {
  outputs: 1,
  architecture: "topk",
  hook: "",
  hookOut: undefined,
  site: "RESID_PRE",
  layer: 0,
  normalization: "none",
  factor: 1,
  subtractsDecoderBias: false,
  rescalesByDecoderNorm: false,
  context: undefined,
  model: "",
  conversion: { isCentred: false, isValueBiasFolded: false, isNormFolded: false },
  report: {},
};
