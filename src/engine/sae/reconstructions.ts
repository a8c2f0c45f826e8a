import { keptAt } from "../activations/kept_sites.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { StructUniform } from "../gpu/struct_uniform.ts";
import { SAE_DECODE_MEMBERS, SaeDecode } from "../kernels/sae_decode.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { Autoencoder } from "./autoencoder.ts";
import type { EncodedPrompt } from "./encode_prompt.ts";
import { targetOfSae } from "./site_of_sae.ts";

/** An autoencoder's reconstruction of a prompt. */
export interface Reconstruction {
  /** (T, m): the autoencoder's output. */
  readonly recon: Float32Array;
  /** (T, m): the converted activation minus that output. */
  readonly error: Float32Array;
}

/** Decodes prompts' active features. */
export class Reconstructions {
  readonly #device: GPUDevice;
  readonly #offsets: GrowingBuffer;
  readonly #listed: GrowingBuffer;
  readonly #recon: GrowingBuffer;
  readonly #error: GrowingBuffer;
  readonly #nothing: GPUBuffer;
  #parts: StructUniform<typeof SAE_DECODE_MEMBERS[number]> | undefined;
  #most = 0;

  /** @param channels Of the activations. */
  constructor(device: GPUDevice, channels: number) {
    this.#device = device;
    this.#offsets = new GrowingBuffer(device, "where positions' features begin");
    this.#listed = new GrowingBuffer(device, "features to decode");
    this.#recon = new GrowingBuffer(device, "reconstruction");
    this.#error = new GrowingBuffer(device, "what is left");
    const usage = GPUBufferUsage.STORAGE;
    this.#nothing = device.createBuffer({ label: "zeros", size: 4 * channels, usage });
  }

  /**
   * Decodes a prompt, with one readback.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async of(
    run: Run,
    { prompt, sae, encoded }: {
      readonly prompt: RunPrompt;
      readonly sae: Autoencoder;
      readonly encoded: EncodedPrompt;
    },
  ): Promise<Reconstruction> {
    const { config } = sae;
    const { outputs: m, site, conversion } = config;
    const T = prompt.ids.length;
    const { positions, features, activations, kept } = encoded;
    const centred = site !== "Z" && conversion.isCentred;
    const kernel = await SaeDecode.create(this.#device, { channels: m, centred });
    const starts = new Uint32Array(T + 1);
    for (const position of positions) starts[position + 1]!++;
    for (let t = 0; t < T; t++) starts[t + 1]! += starts[t]!;
    const list = new Uint32Array(2 * positions.length);
    const bits = new Uint32Array(activations.buffer);
    features.forEach((feature, n) => list.set([feature, bits[n]!], 2 * n));
    const offsets = await this.#offsets.atLeast(starts.byteLength);
    const listed = await this.#listed.atLeast(Math.max(8, list.byteLength));
    const bytes = 4 * T * m;
    const recon = await this.#recon.atLeast(bytes);
    const error = await this.#error.atLeast(bytes);
    const { queue } = this.#device;
    queue.writeBuffer(offsets, 0, starts);
    queue.writeBuffer(listed, 0, list);
    const parts = this.#partsOf(sae);
    const y = keptAt(prompt.activations, targetOfSae(config)).createView();
    const numbers = await run.read({
      result: [{ buffer: recon, bytes }, { buffer: error, bytes }],
      encode: ({ pass }) => {
        const operands = kernel.bind({
          y,
          shift: site === "LN2_NORMALIZED" ? this.#nothing : sae.shift,
          bias: sae.decoderBias,
          scales: kept.scales,
          offsets,
          listed,
          recon,
          error,
        });
        sae.decoder.forEach(({ buffer: decoder }, n) => {
          const groups = [[operands], [kernel.bind({ decoder })], parts.at(n)] as const;
          kernel.dispatch(pass, groups, { rows: T });
        });
      },
    });
    return { recon: numbers.subarray(0, T * m), error: numbers.subarray(T * m) };
  }

  #partsOf({ decoder }: Autoencoder): StructUniform<typeof SAE_DECODE_MEMBERS[number]> {
    if (this.#most < decoder.length) {
      this.#most = decoder.length;
      const members = SAE_DECODE_MEMBERS;
      const label = "parts of a decoder";
      this.#parts = new StructUniform(this.#device, { label, members, most: this.#most });
    }
    const last = decoder.length - 1;
    this.#parts!.write(decoder.map(({ first, end }, n) => {
      return { first, end, is_first: Number(n === 0), is_last: Number(n === last) };
    }));
    return this.#parts!;
  }
}
