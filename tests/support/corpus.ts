import { open } from "@infoflow/safetensors";
import { FIXTURES } from "./fixtures.ts";

/** The corpus of the reference data, see `tests/fixtures/corpus`. */
export interface Corpus {
  /** All 200 rows, in their order. */
  readonly rows: readonly CorpusRow[];
  /** Those that are no error. */
  readonly accepted: readonly (CorpusRow & { readonly ids: readonly number[] })[];
  /** What the bundled model's heads do over them, in float64. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
}

/** A row of the corpus: its token ids, BOS first, or the code of the error that it is. */
export interface CorpusRow {
  readonly index: number;
  readonly prompt: string;
  readonly ids?: readonly number[];
  readonly error?: string;
}

/** Where the rows are. */
export const CORPUS = new URL("corpus/prompts.jsonl", FIXTURES).pathname;

/** Reads the corpus and its statistics. */
export async function readCorpus(): Promise<Corpus> {
  const lines = (await Deno.readTextFile(CORPUS)).trim().split("\n");
  const rows = lines.map((line) => JSON.parse(line) as CorpusRow);
  await using file = await open(new URL("corpus/stats.safetensors", FIXTURES));
  const statistics = new Map<string, Float32Array>();
  for (const [name, { dtype }] of file.tensors) {
    const numbers = dtype === "I32"
      ? Float32Array.from(new Int32Array((await file.read(name)).buffer))
      : await file.float32(name);
    statistics.set(name, numbers);
  }
  const accepted = rows.filter((row): row is Corpus["accepted"][number] => row.ids !== undefined);
  return { rows, accepted, statistics };
}
