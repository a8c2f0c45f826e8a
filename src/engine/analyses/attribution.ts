import type { Settled } from "../passes/materialize.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { HeadParts } from "../kernels/head_parts.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { streamIndex } from "../activations/residual_stream.ts";
import type { LogitPart } from "../../requests/questions.ts";
import type { Workbench } from "./device_context.ts";

/** Takes the last position's logit of a token apart. */
export class LogitParts {
  readonly #bench: Workbench;
  readonly #directions: GPUBuffer;
  readonly #parts: GrowingBuffer;
  #kernel: HeadParts | undefined;
  #meanToken: Float64Array | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
    this.#directions = bench.device.createBuffer({
      label: "directions",
      size: 2 * 4 * bench.architecture.channels,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    this.#parts = new GrowingBuffer(bench.device, "parts of a logit");
  }

  /**
   * The parts of one token's logit; they sum to it. The scale of the final layer norm is that of the whole stream, so
   * that every part is a scalar product with the token's direction.
   */
  async of(settled: Settled, token: number): Promise<LogitPart[]> {
    const { layers, heads, channels: C } = this.#bench.architecture;
    const rows = await this.#lastRows(settled);
    const row = (layer: number, place: "before" | "middle"): Float32Array =>
      rows.subarray(streamIndex(layer, place) * C, (streamIndex(layer, place) + 1) * C);
    const { plain, centred, bias, centredBias } = this.#directionsOf(token, row(layers, "before"));
    const numbers = await this.#headParts(settled, [plain, centred]);
    const along = (x: Float32Array, minus?: Float32Array): { value: number; centred: number } => {
      const part = { value: 0, centred: 0 };
      for (let c = 0; c < C; c++) {
        const v = x[c]! - (minus?.[c] ?? 0);
        part.value += v * plain[c]!;
        part.centred += v * centred[c]!;
      }
      return part;
    };
    const parts: LogitPart[] = [
      { kind: "EMBEDDING", layer: null, head: null, ...along(row(0, "before")) },
    ];
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head <= heads; head++) {
        const at = 2 * (layer * (heads + 1) + head);
        const part = { value: numbers[at]!, centred: numbers[at + 1]! };
        parts.push(
          head < heads
            ? { kind: "HEAD", layer, head, ...part }
            : { kind: "ATTENTION_BIAS", layer, head: null, ...part },
        );
      }
      const mlp = along(row(layer + 1, "before"), row(layer, "middle"));
      parts.push({ kind: "MLP", layer, head: null, ...mlp });
    }
    const final = { value: bias, centred: centredBias };
    parts.push({ kind: "FINAL_BIAS", layer: null, head: null, ...final });
    return parts;
  }

  /** (2L + 1, C): the last position of every place in the residual stream. */
  async #lastRows({ ids, entry }: Settled): Promise<Float32Array> {
    const { layers, channels } = this.#bench.architecture;
    const { texture } = entry.streams!;
    const rowBytes = 4 * channels;
    const places = 2 * layers + 1;
    return await this.#bench.read(places * rowBytes, (encoder, buffer) => {
      for (let place = 0; place < places; place++) {
        encoder.copyTextureToBuffer(
          { texture, origin: [0, ids.length - 1, place] },
          { buffer, offset: place * rowBytes },
          [channels / 4, 1],
        );
      }
    });
  }

  /** The token's direction at this end of the stream, and the same with the mean over the vocabulary taken out. */
  #directionsOf(token: number, end: Float32Array): {
    plain: Float64Array;
    centred: Float64Array;
    bias: number;
    centredBias: number;
  } {
    const { architecture: { channels: C, epsilon }, weights } = this.#bench;
    const { unembedding, finalNorm: { gainOnHost: gain, biasOnHost } } = weights;
    let mean = 0;
    for (const v of end) mean += v / C;
    let variance = 0;
    for (const v of end) variance += (v - mean) ** 2 / C;
    const scale = 1 / Math.sqrt(variance + epsilon);
    const meanToken = this.#meanToken ??= meanRow(unembedding, C);
    const of = Float64Array.from(unembedding.subarray(token * C, (token + 1) * C));
    const less = of.map((v, c) => v - meanToken[c]!);
    const direction = (row: Float64Array): Float64Array => {
      const along = row.map((v, c) => v * gain[c]! * scale);
      const average = along.reduce((a, b) => a + b) / C;
      return along.map((v) => v - average);
    };
    const dot = (row: Float64Array): number =>
      row.reduce((sum, v, c) => sum + v * biasOnHost[c]!, 0);
    return {
      plain: direction(of),
      centred: direction(less),
      bias: dot(of),
      centredBias: dot(less),
    };
  }

  /** (L, H + 1, 2) */
  async #headParts(
    settled: Settled,
    directions: readonly [Float64Array, Float64Array],
  ): Promise<Float32Array> {
    const { device, forward, store, architecture } = this.#bench;
    const { layers, heads } = architecture;
    const { ids, entry } = settled;
    this.#kernel ??= await HeadParts.create(device, architecture);
    const kernel = this.#kernel;
    const matrices = await this.#bench.outputMatrices();
    await store.withRoom(() => forward.reserve(ids.length));
    const bytes = layers * (heads + 1) * 2 * Float32Array.BYTES_PER_ELEMENT;
    const parts = await store.withRoom(() => this.#parts.atLeast(bytes));
    device.queue.writeBuffer(
      this.#directions,
      0,
      Float32Array.from([...directions[0], ...directions[1]]),
    );
    const prompt = this.#bench.promptOf(settled);
    return await this.#bench.read(bytes, (encoder, staging) => {
      forward.bringValues(encoder, entry, ids);
      const pass = encoder.beginComputePass({ label: "parts of a logit" });
      for (let layer = 0; layer < layers; layer++) {
        const operands = kernel.bind({
          directions: this.#directions,
          qkv: forward.qkv(layer),
          w: matrices.view(layer),
          b: forward.layerWeights(layer).attentionOut.b,
          parts,
        });
        const { buffer, offset } = patternsOf(entry, layer);
        const patterns = kernel.bind({ patterns: { buffer, size: entry.layerBytes } });
        kernel.dispatch(pass, [
          [operands],
          prompt,
          [patterns, offset],
          indexGroup(device, layer),
        ]);
      }
      pass.end();
      encoder.copyBufferToBuffer(parts, 0, staging, 0, bytes);
    });
  }
}

/** The mean over the rows of a table. */
function meanRow(table: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  const rows = table.length / width;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c++) sums[c]! += table[row * width + c]!;
  }
  return sums.map((sum) => sum / rows);
}
