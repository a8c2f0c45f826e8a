import type { Settled } from "../passes/materialize.ts";
import { streamIndex } from "../activations/residual_stream.ts";
import type { TopRow } from "../../requests/questions.ts";
import { Unembedding } from "./unembedding.ts";
import type { Workbench } from "./device_context.ts";

/** Positions of the residual stream before some layers. */
export interface TopsOf {
  readonly layers: readonly number[];
  readonly row: number;
  readonly rows: number;
  /** How many tokens of each. */
  readonly k: number;
}

/** Finds the likeliest tokens behind positions of the residual stream. */
export class Tops {
  readonly #bench: Workbench;
  #unembedding: Unembedding | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  /** Of each layer, and of each of its positions. */
  async of({ entry }: Settled, { layers, row, rows, k }: TopsOf): Promise<TopRow[]> {
    const unembedding = await this.#prepared();
    const { texture } = entry.streams!;
    const sources = layers.map((layer) => {
      return { texture, layer: streamIndex(layer, "before"), row, rows };
    });
    const top = (): ReturnType<Unembedding["top"]> => unembedding.top(sources, k);
    const { buffer, offset, bytes } = await this.#bench.store.withRoom(top);
    const numbers = await this.#bench.read(
      bytes,
      (encoder, staging) => encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes),
    );
    return unembedding.read(numbers, k);
  }

  /** The table takes a while to be uploaded, and room for as long as the engine lives. */
  async #prepared(): Promise<Unembedding> {
    if (this.#unembedding) return this.#unembedding;
    const { device, architecture, weights, store } = this.#bench;
    store.makeRoom(4 * architecture.vocabulary * architecture.channels);
    this.#unembedding = await store.withRoom(() =>
      Unembedding.create(device, architecture, weights)
    );
    store.reserve(this.#unembedding.bytes);
    return this.#unembedding;
  }
}
