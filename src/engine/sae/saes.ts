import type { EncoderWeights } from "../../checkpoints/sae/encoder_weights.ts";
import { InfoflowError } from "../../errors.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { type Autoencoder, uploadAutoencoder } from "./autoencoder.ts";
import { FeatureEncoder } from "./feature_encoder.ts";

/** An autoencoder's weights, and what its conversion needs. */
export interface SaeWeights {
  readonly weights: EncoderWeights;
  /** (n): what is subtracted from the model's activation. */
  readonly shift: Float32Array<ArrayBuffer>;
  /** (C, C): W_O of its layer, where it is of hook_z. */
  readonly output: Float32Array<ArrayBuffer> | undefined;
}

/** An autoencoder that can be loaded. */
export interface SaeSource {
  readonly name: string;
  readonly config: SaeConfig;
  load(): Promise<SaeWeights>;
}

/** An autoencoder on the device, and its encoder. */
export interface LoadedSae {
  readonly sae: Autoencoder;
  readonly encoder: FeatureEncoder;
  /** (C, C), on the host: W_O of its layer, where it is of hook_z. */
  readonly output: Float32Array | undefined;
}

/**
 * The autoencoders of a model. They are on the device up to a budget of bytes; the least recently used is freed first.
 */
export class Saes {
  readonly #device: GPUDevice;
  readonly #sources: ReadonlyMap<string, SaeSource>;
  readonly #options: { readonly budget: number; readonly epsilon: number };
  /** Least recently used first. */
  readonly #loaded = new Map<string, LoadedSae>();

  /** @param options The budget in bytes, and the epsilon of the model's layer norms. */
  constructor(
    device: GPUDevice,
    sources: readonly SaeSource[],
    options: { readonly budget: number; readonly epsilon: number },
  ) {
    this.#device = device;
    this.#sources = new Map(sources.map((source) => [source.name, source]));
    this.#options = options;
  }

  /**
   * The autoencoder's configuration.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is none of that name.
   */
  configOf(name: string): SaeConfig {
    return this.#sourceOf(name).config;
  }

  /**
   * Reads an autoencoder's weights.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is none of that name.
   */
  async load(name: string): Promise<SaeWeights> {
    return await this.#sourceOf(name).load();
  }

  /** Bytes on the device. */
  get bytes(): number {
    return this.#loaded.values().reduce((sum, { sae }) => sum + sae.bytes, 0);
  }

  /**
   * Puts an autoencoder on the device, if it isn't there.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is none of that name.
   * @throws {AllocationError} If the device has no room.
   */
  async get(name: string): Promise<LoadedSae> {
    const known = this.#loaded.get(name);
    if (known) {
      this.#loaded.delete(name);
      this.#loaded.set(name, known);
      return known;
    }
    const source = this.#sourceOf(name);
    const { weights, shift, output } = await source.load();
    this.#makeRoom(4 * (weights.encoder.length + weights.decoder.length));
    const sae = await uploadAutoencoder(this.#device, weights, { name, shift });
    const encoder = await FeatureEncoder.create(this.#device, sae, this.#options.epsilon);
    const loaded = { sae, encoder, output };
    this.#loaded.set(name, loaded);
    return loaded;
  }

  #makeRoom(bytes: number): void {
    for (const [name, { sae, encoder }] of this.#loaded) {
      if (this.bytes + bytes <= this.#options.budget) return;
      this.#loaded.delete(name);
      encoder.destroy();
      sae.destroy();
    }
  }

  #sourceOf(name: string): SaeSource {
    const source = this.#sources.get(name);
    if (source) return source;
    const names = [...this.#sources.keys()];
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot find an autoencoder ${JSON.stringify(name)}: ${
        names.length > 0 ? `there are ${names.join(", ")}` : "the server has none of this model"
      }`,
    );
  }
}
