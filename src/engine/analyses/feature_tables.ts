import type { Answered } from "../../requests/questions.ts";
import type { FeatureTablesFound } from "../../requests/sae/feature_questions.ts";
import type { Run } from "../passes/run.ts";
import type { SaeWeights } from "../sae/saes.ts";
import { type ReadBuffers, TopProducts } from "../sae/top_products.ts";
import { TopTable } from "../sae/top_table.ts";
import { Analysis, type AskOptions } from "./analysis.ts";

/** The tables of each feature. The one id only gives the pass something to run. */
export interface FeatureTablesQuestion {
  readonly argument: { readonly ids: readonly number[]; readonly sae: string; readonly k: number };
  readonly result: Answered & FeatureTablesFound;
}

/** For each feature of an autoencoder, the tokens that it promotes and suppresses, and the nearest features. */
export class FeatureTablesAnalysis extends Analysis<FeatureTablesQuestion> {
  override async ask(
    argument: FeatureTablesQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<FeatureTablesQuestion["result"]> {
    const tables = await this.context.passes.run(
      [{ ids: argument.ids }],
      { cache: "none", isWanted },
      (run) => this.#tables(run, argument),
    );
    return { ...tables, cacheHit: false };
  }

  /**
   * The tables of all features.
   *
   * @param k The number of promoted tokens, of suppressed tokens, and of nearest features.
   * @throws {AllocationError} If the device has no room.
   */
  async #tables(
    run: Run,
    { sae, k }: FeatureTablesQuestion["argument"],
  ): Promise<FeatureTablesFound> {
    const { architecture: { channels: C, vocabulary }, device, saes, weights } = this.context;
    const loaded = await saes.load(sae);
    const { features, outputs } = loaded.weights.config;
    const read: ReadBuffers = (encode, result) =>
      run.read({ encode: ({ pass }) => encode(pass), result });
    using tokens = await TopProducts.create(device, centredUnembedding(weights.unembedding, C), {
      channels: C,
      k: Math.min(k, vocabulary),
    });
    const [raised, lowered, nearest] = [0, 0, 0].map(() => new TopTable(features, k));
    for (const { first, end } of blocks(features, ROWS)) {
      const rows = lensRows(loaded, weights.finalNorm.gainOnHost, { first, end });
      raised!.add(first, await tokens.of(rows, read));
      lowered!.add(first, await tokens.of(rows.map((v) => -v), read));
    }
    const { decoder } = loaded.weights;
    for (const column of blocks(features, COLUMNS)) {
      const units = unitRows(decoder, outputs, column);
      using others = await TopProducts.create(device, transposed(units, outputs), {
        channels: outputs,
        k: Math.min(k + 1, column.end - column.first), // with the feature itself
      });
      for (const { first, end } of blocks(features, ROWS)) {
        const found = await others.of(unitRows(decoder, outputs, { first, end }), read);
        const columns = found.columns.map((it) => it < 0 ? it : it + column.first);
        nearest!.add(first, { ...found, columns }, { isOfThemselves: true });
      }
    }
    return {
      raised: { ids: raised!.columns, logits: raised!.products },
      lowered: { ids: lowered!.columns, logits: lowered!.products.map((v) => -v) },
      nearest: { features: nearest!.columns, cosines: nearest!.products },
    };
  }
}

/** Features that are looked at together: their rows are made, and read back, at a time. */
const ROWS = 1024;
/** Features that others are compared with at a time: more take more memory. */
const COLUMNS = 16_384;

interface Block {
  readonly first: number;
  readonly end: number;
}

function blocks(count: number, size: number): Block[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => {
    return { first: at * size, end: Math.min((at + 1) * size, count) };
  });
}

/** (end - first, C): what features add to the stream, centred, times the final layer norm's gain. */
function lensRows(
  { weights: { config, decoder }, output }: SaeWeights,
  gain: Float32Array,
  { first, end }: Block,
): Float32Array<ArrayBuffer> {
  const { outputs: m } = config;
  const C = gain.length;
  const rows = new Float32Array((end - first) * C);
  for (let f = first; f < end; f++) {
    const row = rows.subarray((f - first) * C, (f - first + 1) * C);
    const d = decoder.subarray(f * m, (f + 1) * m);
    if (output) {
      // Heads write through W_O.
      for (let k = 0; k < m; k++) {
        const value = d[k]!;
        if (value === 0) continue;
        for (let c = 0; c < C; c++) row[c]! += value * output[k * C + c]!;
      }
    } else row.set(d);
    const mean = row.reduce((sum, v) => sum + v / C, 0);
    for (let c = 0; c < C; c++) row[c] = (row[c]! - mean) * gain[c]!;
  }
  return rows;
}

/** (C, V): the unembedding minus each channel's mean over the vocabulary, so that logits have mean 0. */
function centredUnembedding(table: Float32Array, C: number): Float32Array<ArrayBuffer> {
  const V = table.length / C;
  const means = new Float64Array(C);
  for (let at = 0; at < table.length; at++) means[at % C]! += table[at]!;
  const matrix = new Float32Array(table.length);
  for (let v = 0; v < V; v++) {
    for (let c = 0; c < C; c++) matrix[c * V + v] = table[v * C + c]! - means[c]! / V;
  }
  return matrix;
}

/** (end - first, width): some rows of a matrix, each of norm 1. */
function unitRows(
  matrix: Float32Array,
  width: number,
  { first, end }: Block,
): Float32Array<ArrayBuffer> {
  const units = new Float32Array((end - first) * width);
  for (let f = first; f < end; f++) {
    const row = matrix.subarray(f * width, (f + 1) * width);
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0)) || 1;
    row.forEach((v, c) => units[(f - first) * width + c] = v / norm);
  }
  return units;
}

function transposed(matrix: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const rows = matrix.length / width;
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c++) result[c * rows + row] = matrix[row * width + c]!;
  }
  return result;
}
