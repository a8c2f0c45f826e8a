import type { AsyncBuffer } from "hyparquet";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { isAbsence } from "../../files.ts";
import { STATISTICS } from "../../requests/head_statistics/statistics.ts";

/** An example of a head: a large weight, with its target, its source and the text. */
export interface RunExample {
  /** The row of the corpus. */
  readonly prompt: number;
  readonly target: number;
  readonly source: number;
  readonly weight: number;
  /** Null where the row had token ids. */
  readonly text: string | null;
  /** BOS first. */
  readonly tokens: readonly string[];
}

/** What a head does over the corpus. */
export interface RunHead {
  readonly layer: number;
  readonly head: number;
  /** By the names in `STATISTICS`; null where no target has any. */
  readonly values: Readonly<Record<string, number | null>>;
  readonly byDistance: readonly (number | null)[];
  readonly byDistanceNoBos: readonly (number | null)[];
  readonly flowByDistance: readonly (number | null)[];
  readonly examples: readonly RunExample[];
}

/** A finished run of `deno task corpus head-statistics`. */
export interface FinishedRun {
  readonly model: string;
  readonly rows: number;
  readonly targets: number;
  readonly layers: number;
  readonly heads: number;
  /** Layer by layer. */
  readonly all: readonly RunHead[];
}

/**
 * Reads the files of a finished run.
 *
 * @throws {Error} If the directory has none.
 */
export async function readFinishedRun(directory: string): Promise<FinishedRun> {
  const path = `${directory.replace(/\/$/, "")}`;
  const manifest = JSON.parse(await textOf(path)) as {
    readonly name: string;
    readonly rows: number;
    readonly model: { readonly name: string };
  };
  if (manifest.name !== "head-statistics") {
    throw new Error(
      `Cannot show ${directory} as it must be of head-statistics: current value is ${manifest.name}`,
    );
  }
  const rows = await readRows(`${path}/head-statistics.parquet`);
  const prompts = await readRows(`${path}/examples.parquet`);
  const texts = new Map(prompts.map((row) => [Number(row.prompt), row]));
  const all = rows.map((row): RunHead => ({
    layer: row.layer as number,
    head: row.head as number,
    values: Object.fromEntries(
      Object.keys(STATISTICS).map((name) => [name, row[name] as number | null ?? null]),
    ),
    byDistance: row.by_distance as number[],
    byDistanceNoBos: row.by_distance_no_bos as number[],
    flowByDistance: row.flow_by_distance as number[],
    examples: (row.examples_by_prompt as RunExample[]).map((example) => {
      const prompt = Number(example.prompt);
      const { text, tokens } = texts.get(prompt)! as { text: string | null; tokens: string[] };
      return { ...example, prompt, text, tokens };
    }),
  }));
  return {
    model: manifest.model.name,
    rows: manifest.rows,
    targets: Number(rows[0]!.targets),
    layers: 1 + Math.max(...all.map(({ layer }) => layer)),
    heads: 1 + Math.max(...all.map(({ head }) => head)),
    all,
  };
}

async function textOf(directory: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${directory}/_infoflow.json`);
  } catch (error) {
    if (!isAbsence(error)) throw error;
    throw new Error(
      `Cannot show ${directory} as it has no finished run: make one with deno task corpus head-statistics`,
    );
  }
}

async function readRows(path: string): Promise<Record<string, unknown>[]> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
    throw new Error(`Cannot show ${path} as it isn't there: the run is not finished`);
  }
  const file: AsyncBuffer = {
    byteLength: bytes.length,
    slice: (start, end) => bytes.buffer.slice(start, end),
  };
  return await parquetReadObjects({ file, compressors });
}
