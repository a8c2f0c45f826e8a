import type { Schema } from "apache-arrow";
import { join } from "node:path";
import { answerBatches, answersSchema } from "../../server/batch/answer_batches.ts";
import type { BatchQuestion } from "../../server/batch/batch_question.ts";
import { promptColumn } from "../../server/batch/prompt_column.ts";
import { kindOf } from "../../server/links/paths.ts";
import type { Corpus } from "../input/corpus.ts";
import type { DonePart } from "../output/manifest.ts";
import { writeParquet } from "../output/write_parquet.ts";
import { type Job, type Part, partFile, type PartOutput } from "../run/job.ts";

/** How the answers are made. */
export interface AnswersOptions {
  /** The column of the prompts, where it is not `prompt` or `ids`. */
  readonly column: string | undefined;
  /** The columns of the corpus: those of all its files. */
  readonly columns: Schema;
}

/** Answers to one question about every row: a file of rows for each part, as a POST to the question's link has them. */
export class AnswersJob implements Job {
  readonly partRows = 1024;
  readonly #question: BatchQuestion;
  readonly #options: AnswersOptions;
  readonly #schema: Schema;

  /** @throws {InfoflowError} BAD_USER_INPUT if a column of the corpus bears the name of one of the answers. */
  constructor(question: BatchQuestion, options: AnswersOptions) {
    this.#question = question;
    this.#options = options;
    const { column, columns } = options;
    this.#schema = answersSchema(question, columns, promptColumn(columns, column));
  }

  get name(): string {
    return kindOf(this.#question.field);
  }

  get options(): Readonly<Record<string, unknown>> {
    const { layout, metadata } = this.#question;
    return { column: this.#options.column ?? null, layout, ...metadata.options as object };
  }

  async make(part: Part, corpus: Corpus, output: PartOutput): Promise<DonePart["files"]> {
    const batches = answerBatches(this.#question, corpus.read(part.first, part.end), {
      column: promptColumn(this.#options.columns, this.#options.column),
      schema: this.#schema,
      mostMs: Infinity, // the same rows in the same batches, so the same bytes, however slow it goes
      onRow: ({ length, code }) => output.progress.row(length, code ?? undefined),
    });
    const name = partFile("part", part.part, "parquet");
    return { [name]: await writeParquet(join(output.directory, name), this.#schema, batches) };
  }

  finish(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}
