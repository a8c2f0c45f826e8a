import { join } from "node:path";
import { InfoflowError } from "../../../errors.ts";
import type { FeatureTablesFound } from "../../../requests/sae/feature_questions.ts";
import type { Questions } from "../../../engine/analyses/list.ts";
import { promptColumn, promptsIn, type RowPrompt } from "../../../server/batch/prompt_column.ts";
import type { Corpus } from "../../input/corpus.ts";
import type { DonePart, Manifest } from "../../output/manifest.ts";
import { writeFile } from "../../output/write_file.ts";
import { writeParquet } from "../../output/write_parquet.ts";
import { type Job, type Part, partFile, type PartOutput } from "../../run/job.ts";
import { type ExamplePrompt, examplesTable, rowsTable } from "../statistics_table.ts";
import { type FeatureRows, featureRowsTable } from "./feature_rows.ts";
import { finishDashboards } from "./finish_dashboards.ts";
import type { FeatureTables, StoredFeatures, TokenWeight } from "./stored_features.ts";

/** Reads prompts and finds their features. */
export interface DashboardEngine {
  /** How many features there are. */
  readonly features: number;
  /** Whether the first token of a prompt is BOS, which is counted nowhere. */
  readonly bosId: number | undefined;
  /**
   * Reads a prompt.
   *
   * @throws {InfoflowError} Why it is refused.
   */
  read(prompt: NonNullable<RowPrompt>): Omit<ExamplePrompt, "row">;
  /** The features of some prompts. */
  find(
    prompts: readonly (readonly number[])[],
  ): Promise<Omit<Questions["featureBatch"]["result"], "cacheHit">>;
  /** What each feature says by itself, and the texts of tokens. */
  tables(k: number): Promise<FeatureTablesFound>;
  textOf(id: number): string;
}

/** How dashboards are made. */
export interface DashboardOptions {
  readonly sae: string;
  /** The column of the prompts, where it is not `prompt` or `ids`. */
  readonly column: string | undefined;
  /** Examples of each feature. */
  readonly top: number;
  /** Whether a prompt gives a feature one example at most. */
  readonly onePerPrompt: boolean;
}

/** Tokens and prompts that the engine has at once. */
const GROUP_TOKENS = 8192;
const GROUP_PROMPTS = 256;
/** Tokens at each end of a feature's logits, and nearest features. */
const K = 10;
/** Rows of a row group: activations are read whole. */
const GROUP_ROWS = 65_536;

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
    return { sae, column: column ?? null, top, onePerPrompt };
  }

  async make(part: Part, corpus: Corpus, output: PartOutput): Promise<DonePart["files"]> {
    const rows = new PartRows(this.#engine);
    const notes: RowNote[] = [];
    for await (const { batch, faults, first } of corpus.read(part.first, part.end)) {
      const column = promptColumn(batch.schema, this.#options.column);
      let row = 0;
      for (const prompt of promptsIn(batch.getChild(column.name)!, column)) {
        const note = await this.#take(first + row, { prompt, fault: faults.get(row), rows });
        output.progress.row(note.tokens ?? 0, note.code ?? undefined);
        notes.push(note);
        row++;
      }
    }
    const { found, prompts, positions } = await rows.end();
    const { features } = this.#engine;
    const stored: StoredFeatures = {
      features,
      positions,
      ...(part.part === 0 && { tables: await this.#tables() }),
    };
    const about = { name: this.name, part: part.part, ...this.options };
    const tables = [
      ["part", rowsTable(notes, about), undefined],
      ["prompts", examplesTable(prompts, about), undefined],
      ["activations", featureRowsTable(found, about), GROUP_ROWS],
    ] as const;
    const files: Record<string, number> = {};
    for (const [stem, { schema, batch }, groupRows] of tables) {
      const name = partFile(stem, part.part, "parquet");
      files[name] = await writeParquet(join(output.directory, name), schema, [batch], groupRows);
    }
    const name = partFile("features", part.part, "json");
    const text = new TextEncoder().encode(JSON.stringify(stored));
    files[name] = await writeFile(join(output.directory, name), [text]);
    return files;
  }

  async finish(directory: string, manifest: Manifest): Promise<readonly string[]> {
    return await finishDashboards(directory, manifest);
  }

  async #take(
    index: number,
    { prompt, fault, rows }: { prompt: RowPrompt; fault: string | undefined; rows: PartRows },
  ): Promise<RowNote> {
    try {
      if (fault !== undefined) throw new InfoflowError("BAD_USER_INPUT", fault);
      if (prompt === null) throw new InfoflowError("PROMPT_EMPTY", "The row has no prompt");
      const read = { row: index, ...this.#engine.read(prompt) };
      await rows.add(read);
      return { index, tokens: read.ids.length, code: null, message: null };
    } catch (error) {
      if (!(error instanceof InfoflowError) || !OF_A_ROW.includes(error.code)) throw error;
      return { index, tokens: null, code: error.code, message: error.message };
    }
  }

  async #tables(): Promise<FeatureTables> {
    const { features } = this.#engine;
    const { raised, lowered, nearest } = await this.#engine.tables(K);
    const tokens = ({ ids, logits }: FeatureTablesFound["raised"], f: number): TokenWeight[] =>
      entries(ids, f).map((at) => {
        return { id: ids[at]!, token: this.#engine.textOf(ids[at]!), logit: logits[at]! };
      });
    const each = Array.from({ length: features }, (_, f) => f);
    return {
      promoted: each.map((f) => tokens(raised, f)),
      suppressed: each.map((f) => tokens(lowered, f)),
      nearest: each.map((f) =>
        entries(nearest.features, f).map((at) => {
          return { feature: nearest.features[at]!, cosine: nearest.cosines[at]! };
        })
      ),
    };
  }
}

/** Whether an error is of a prompt alone, and others may do well. */
const OF_A_ROW: readonly string[] = [
  "PROMPT_EMPTY",
  "PROMPT_TOO_LONG",
  "BAD_USER_INPUT",
  "MATRIX_TOO_LARGE",
];

/** The places of a feature's entries that there are. */
function entries(ids: Int32Array, feature: number): number[] {
  return Array.from({ length: K }, (_, n) => feature * K + n).filter((at) => ids[at]! >= 0);
}

/** The activations of a part: prompts go to the engine in groups. */
class PartRows {
  readonly #engine: DashboardEngine;
  readonly #prompts: ExamplePrompt[] = [];
  readonly #found: FeatureRows[] = [];
  #group: ExamplePrompt[] = [];
  #tokens = 0;
  #positions = 0;

  constructor(engine: DashboardEngine) {
    this.#engine = engine;
  }

  async add(prompt: ExamplePrompt): Promise<void> {
    const { length } = prompt.ids;
    if (this.#group.length === GROUP_PROMPTS || this.#tokens + length > GROUP_TOKENS) {
      await this.#send();
    }
    this.#group.push(prompt);
    this.#tokens += length;
  }

  async end(): Promise<{ found: FeatureRows; prompts: ExamplePrompt[]; positions: number }> {
    await this.#send();
    const size = this.#found.reduce((sum, { features }) => sum + features.length, 0);
    const found = {
      prompts: new Float64Array(size),
      positions: new Int32Array(size),
      features: new Int32Array(size),
      activations: new Float32Array(size),
    };
    let at = 0;
    for (const part of this.#found) {
      found.prompts.set(part.prompts, at);
      found.positions.set(part.positions, at);
      found.features.set(part.features, at);
      found.activations.set(part.activations, at);
      at += part.features.length;
    }
    return { found, prompts: this.#prompts, positions: this.#positions };
  }

  async #send(): Promise<void> {
    const group = this.#group;
    if (group.length === 0) return;
    [this.#group, this.#tokens] = [[], 0];
    const batch = await this.#engine.find(group.map(({ ids }) => ids));
    const keep: number[] = [];
    const rows: number[] = [];
    const positions: number[] = [];
    const firsts: number[] = [];
    let tokens = 0;
    for (const { ids } of group) {
      firsts.push(tokens);
      tokens += ids.length;
      this.#positions += ids.length - this.#firstOf(ids);
    }
    let prompt = 0;
    batch.positions.forEach((place, n) => {
      while (prompt + 1 < group.length && place >= firsts[prompt + 1]!) prompt++;
      const position = place - firsts[prompt]!;
      if (position < this.#firstOf(group[prompt]!.ids)) return;
      keep.push(n);
      rows.push(group[prompt]!.row);
      positions.push(position);
    });
    this.#found.push({
      prompts: Float64Array.from(rows),
      positions: Int32Array.from(positions),
      features: Int32Array.from(keep, (n) => batch.features[n]!),
      activations: Float32Array.from(keep, (n) => batch.activations[n]!),
    });
    this.#prompts.push(...group);
  }

  /** The first position that counts. */
  #firstOf(ids: readonly number[]): number {
    return ids[0] === this.#engine.bosId ? 1 : 0;
  }
}
