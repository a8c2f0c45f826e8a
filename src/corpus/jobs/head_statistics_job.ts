import { join } from "node:path";
import { InfoflowError } from "../../errors.ts";
import type { HeadSizes, HeadSums } from "../../requests/head_statistics/head_sums.ts";
import { PartialStatistics } from "../../requests/head_statistics/partial_statistics.ts";
import { MOST_PROMPTS, MOST_TARGETS } from "../../requests/head_statistics/slots.ts";
import { promptColumn, promptsIn, type RowPrompt } from "../../server/batch/prompt_column.ts";
import type { Corpus } from "../input/corpus.ts";
import type { DonePart, Manifest } from "../output/manifest.ts";
import { writeFile } from "../output/write_file.ts";
import { writeParquet } from "../output/write_parquet.ts";
import { type Job, type Part, partFile, type PartOutput } from "../run/job.ts";
import { finishHeadStatistics, readStatistics, type StoredPart } from "./finish_head_statistics.ts";
import { type ReadPrompt, TREE, type TreeSource, writeTree } from "./headvis/write_tree.ts";
import { type ExamplePrompt, rowsTable } from "./statistics_table.ts";

/** Reads prompts and sums what heads do with them. */
export interface StatisticsEngine {
  readonly sizes: HeadSizes;
  /**
   * Reads a prompt.
   *
   * @throws {InfoflowError} Why it is refused.
   */
  read(prompt: NonNullable<RowPrompt>): Omit<ExamplePrompt, "row">;
  /** Sums over some prompts. */
  sum(prompts: readonly (readonly number[])[]): Promise<HeadSums>;
  /** (heads.length, T, T): patterns of some heads of a layer, BOS kept. */
  patterns: TreeSource["patterns"];
}

/** How statistics are made. */
export interface StatisticsOptions {
  /** The column of the prompts, where it is not `prompt` or `ids`. */
  readonly column: string | undefined;
  /** Examples of different prompts for each head. */
  readonly top: number;
  /** Whose definitions there are: ours, or HeadVis' beside them. */
  readonly definition: "infoflow" | "headvis";
  /** How prompts are read. */
  readonly reading: Readonly<Record<string, unknown>>;
}

/** Groups of prompts that the engine has at once: one at work, one that it can turn to. */
const IN_FLIGHT = 2;

interface RowNote {
  readonly index: number;
  readonly tokens: number | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** Statistics of heads over a corpus: sums for each part, which add up exactly, then a table of all. */
export class HeadStatisticsJob implements Job {
  readonly name = "head-statistics";
  readonly partRows = 8192;
  readonly #engine: StatisticsEngine;
  readonly #options: StatisticsOptions;

  constructor(engine: StatisticsEngine, options: StatisticsOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  get options(): Readonly<Record<string, unknown>> {
    const { column, top, definition, reading } = this.#options;
    return { column: column ?? null, top, definition, ...reading };
  }

  async make(part: Part, corpus: Corpus, output: PartOutput): Promise<DonePart["files"]> {
    const { top, definition } = this.#options;
    const sums = new PartSums(this.#engine, top, definition === "headvis");
    const notes: RowNote[] = [];
    for await (const { batch, faults, first } of corpus.read(part.first, part.end)) {
      const column = promptColumn(batch.schema, this.#options.column);
      const vector = batch.getChild(column.name)!;
      let row = 0;
      for (const prompt of promptsIn(vector, column)) {
        const index = first + row;
        const note = await this.#take(index, { prompt, fault: faults.get(row), sums });
        output.progress.row(note.tokens ?? 0, note.code ?? undefined);
        notes.push(note);
        row++;
      }
    }
    const { partial, prompts } = await sums.end();
    const rowsName = partFile("part", part.part, "parquet");
    const sumsName = partFile("statistics", part.part, "json");
    const stored: StoredPart = { statistics: partial.toJSON(), prompts };
    const { schema, batch } = rowsTable(notes, { name: this.name, part: part.part });
    const text = new TextEncoder().encode(JSON.stringify(stored));
    return {
      [rowsName]: await writeParquet(join(output.directory, rowsName), schema, [batch]),
      [sumsName]: await writeFile(join(output.directory, sumsName), [text]),
    };
  }

  async #take(
    index: number,
    { prompt, fault, sums }: { prompt: RowPrompt; fault: string | undefined; sums: PartSums },
  ): Promise<RowNote> {
    try {
      if (fault !== undefined) throw new InfoflowError("BAD_USER_INPUT", fault);
      if (prompt === null) throw new InfoflowError("PROMPT_EMPTY", "The row has no prompt");
      const read = { row: index, ...this.#engine.read(prompt) };
      await sums.add(read);
      return { index, tokens: read.ids.length, code: null, message: null };
    } catch (error) {
      if (!(error instanceof InfoflowError) || !isOfRow(error)) throw error;
      return { index, tokens: null, code: error.code, message: error.message };
    }
  }

  async finish(
    directory: string,
    manifest: Manifest,
    corpus: Corpus,
  ): Promise<readonly string[]> {
    const files = await finishHeadStatistics(directory, manifest);
    if (this.#options.definition !== "headvis") return files;
    const all = (await readStatistics(directory, manifest)).statistics;
    const prompt = async (row: number): Promise<ReadPrompt> => {
      for await (const { batch } of corpus.read(row, row + 1)) {
        const column = promptColumn(batch.schema, this.#options.column);
        const [read] = promptsIn(batch.getChild(column.name)!, column);
        return this.#engine.read(read!);
      }
      throw new RangeError(`Cannot read row ${row} again`);
    };
    const { patterns } = this.#engine;
    await writeTree(directory, { manifest, all, source: { prompt, patterns } });
    return [...files, `${TREE}/config.json`];
  }
}

/** The sums of a part: prompts go to the engine in groups, a few at a time. */
class PartSums {
  readonly #engine: StatisticsEngine;
  readonly #partial: PartialStatistics;
  readonly #prompts = new Map<number, ExamplePrompt>();
  #group: ExamplePrompt[] = [];
  #targets = 0;
  #inFlight: Promise<void>[] = [];

  constructor(engine: StatisticsEngine, top: number, keepsSamples: boolean) {
    this.#engine = engine;
    this.#partial = new PartialStatistics(engine.sizes, top, keepsSamples);
  }

  /** Takes a prompt; waits where the engine has enough to do. */
  async add(prompt: ExamplePrompt): Promise<void> {
    const targets = prompt.ids.length - 1;
    if (this.#group.length === MOST_PROMPTS || this.#targets + targets > MOST_TARGETS) {
      await this.#send();
    }
    this.#group.push(prompt);
    this.#targets += targets;
  }

  /** The sums, and the prompts that examples are of. */
  async end(): Promise<{ partial: PartialStatistics; prompts: ExamplePrompt[] }> {
    await this.#send();
    await Promise.all(this.#inFlight);
    const rows = this.#partial.exampleRows;
    return { partial: this.#partial, prompts: rows.map((row) => this.#prompts.get(row)!) };
  }

  async #send(): Promise<void> {
    const group = this.#group;
    if (group.length === 0) return;
    [this.#group, this.#targets] = [[], 0];
    if (this.#inFlight.length === IN_FLIGHT) await this.#inFlight.shift();
    const sum = this.#sum(group);
    sum.catch(() => {}); // thrown where it is awaited
    this.#inFlight.push(sum);
  }

  async #sum(group: readonly ExamplePrompt[]): Promise<void> {
    const sums = await this.#engine.sum(group.map(({ ids }) => ids));
    this.#partial.add(group, sums);
    for (const prompt of group) this.#prompts.set(prompt.row, prompt);
    const kept = new Set(this.#partial.exampleRows);
    for (const row of this.#prompts.keys()) if (!kept.has(row)) this.#prompts.delete(row);
  }
}

/** Whether an error concerns one prompt alone, so that others may succeed. */
function isOfRow({ code }: InfoflowError): boolean {
  return ["PROMPT_EMPTY", "PROMPT_TOO_LONG", "BAD_USER_INPUT", "MATRIX_TOO_LARGE"].includes(code);
}
