import { join } from "node:path";
import { InfoflowError } from "../../../errors.ts";
import { promptColumn, promptsIn, type RowPrompt } from "../../../server/batch/prompt_column.ts";
import type { Corpus } from "../../input/corpus.ts";
import type { DonePart, Manifest } from "../../output/manifest.ts";
import { writeFile } from "../../output/write_file.ts";
import { writeParquet } from "../../output/write_parquet.ts";
import { type Job, type Part, partFile, type PartOutput } from "../../run/job.ts";
import { rowsTable } from "../statistics_table.ts";
import type { DashboardEngine } from "./dashboard_engine.ts";
import { finishDashboards } from "./finish_dashboards.ts";
import { PartActivations } from "./part_activations.ts";
import type { StoredFeatures } from "./stored_features.ts";
import { writeTables } from "./tables_file.ts";

/** How dashboards are made. */
export interface DashboardOptions {
  readonly sae: string;
  /** The column of the prompts, where it is not `prompt` or `ids`. */
  readonly column: string | undefined;
  /** Examples of each feature. */
  readonly top: number;
  /** Whether to take at most one example of a feature from a prompt. */
  readonly onePerPrompt: boolean;
}

/** Tokens at each end of a feature's logits, and nearest features. */
const K = 10;
interface RowNote {
  readonly index: number;
  readonly tokens: number | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** Dashboards of an autoencoder's features over a corpus: activations for each part, then a table of all features. */
export class DashboardsJob implements Job {
  readonly name = "dashboards";
  readonly partRows = 8192;
  readonly #engine: DashboardEngine;
  readonly #options: DashboardOptions;

  constructor(engine: DashboardEngine, options: DashboardOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  get options(): Readonly<Record<string, unknown>> {
    const { sae, column, top, onePerPrompt } = this.#options;
    return { sae, column: column ?? null, top, onePerPrompt, order: "feature, prompt, position" };
  }

  async make(part: Part, corpus: Corpus, output: PartOutput): Promise<DonePart["files"]> {
    const { directory, progress } = output;
    const about = { name: this.name, part: part.part, ...this.options };
    const activations = new PartActivations(this.#engine, { directory, part: part.part }, about);
    const notes: RowNote[] = [];
    try {
      for await (const { batch, faults, first } of corpus.read(part.first, part.end)) {
        const column = promptColumn(batch.schema, this.#options.column);
        let row = 0;
        for (const prompt of promptsIn(batch.getChild(column.name)!, column)) {
          const note = await this.#take(first + row, {
            prompt,
            fault: faults.get(row),
            activations,
          });
          progress.row(note.tokens ?? 0, note.code ?? undefined);
          notes.push(note);
          row++;
        }
      }
      await activations.end();
    } catch (error) {
      await activations.abort();
      throw error;
    }
    const files: Record<string, number> = { ...activations.files };
    const path = (name: string): string => join(directory, name);
    if (part.part === 0) {
      const tables = partFile("tables", 0, "parquet");
      const { textOf } = this.#engine;
      const found = await this.#engine.tables(K);
      files[tables] = await writeTables(path(tables), found, { k: K, textOf, about });
    }
    const { schema, batch } = rowsTable(notes, about);
    const rows = partFile("part", part.part, "parquet");
    files[rows] = await writeParquet(path(rows), schema, [batch]);
    const { features } = this.#engine;
    const { positions, longest } = activations;
    const stored: StoredFeatures = { features, positions, longest };
    const text = new TextEncoder().encode(JSON.stringify(stored));
    const summary = partFile("features", part.part, "json");
    files[summary] = await writeFile(path(summary), [text]);
    return files;
  }

  async finish(directory: string, manifest: Manifest): Promise<readonly string[]> {
    return await finishDashboards(directory, manifest);
  }

  async #take(
    index: number,
    { prompt, fault, activations }: {
      prompt: RowPrompt;
      fault: string | undefined;
      activations: PartActivations;
    },
  ): Promise<RowNote> {
    try {
      if (fault !== undefined) throw new InfoflowError("BAD_USER_INPUT", fault);
      if (prompt === null) throw new InfoflowError("PROMPT_EMPTY", "The row has no prompt");
      const read = { row: index, ...this.#engine.read(prompt) };
      await activations.add(read);
      return { index, tokens: read.ids.length, code: null, message: null };
    } catch (error) {
      if (!(error instanceof InfoflowError) || !OF_A_ROW.includes(error.code)) throw error;
      return { index, tokens: null, code: error.code, message: error.message };
    }
  }
}

/** Whether an error concerns one prompt alone, so that others may succeed. */
const OF_A_ROW: readonly string[] = [
  "PROMPT_EMPTY",
  "PROMPT_TOO_LONG",
  "BAD_USER_INPUT",
  "MATRIX_TOO_LARGE",
];
