import { InfoflowError } from "../../errors.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { MEDIA_TYPES } from "../arrow/form.ts";
import { answerBatches, answersSchema } from "../batch/answer_batches.ts";
import { BATCH_LAYOUTS, type BatchField, type BatchLayout } from "../batch/batch_fields.ts";
import { BatchQuestion, type RowAnswer } from "../batch/batch_question.ts";
import { encodeStream } from "../batch/encode_stream.ts";
import { promptColumn } from "../batch/prompt_column.ts";
import { readTable } from "../batch/read_table.ts";
import { kindOf } from "../links/paths.ts";
import { readLink } from "../links/read_link.ts";
import type { Log } from "../observe/log.ts";
import { logError } from "../observe/log_error.ts";
import type { CallFacts, Metrics } from "../observe/metrics.ts";
import type { Caller } from "../queue/caller.ts";
import { idsOf } from "../../requests/engine_request.ts";
import { chooseCoding, encodePieces } from "./content_coding.ts";
import { readBody } from "./read_body.ts";
import { RowCaller } from "./row_caller.ts";
import { SIZE_LIMITS } from "./size_limits.ts";

/** Batches that may be open at once. */
const MOST_OPEN = 4;
/** `retry-after` of a refused batch, in seconds. */
const RETRY_AFTER = 5;

/** Dependencies of the answers to batches. */
export interface BatchAnswersOptions {
  /** The models, asked on behalf of a caller. */
  readonly modelsFor: (caller: Caller) => readonly LoadedModel[];
  readonly log: Log;
  readonly metrics: Metrics;
  /** How long a row may take, in ms. */
  readonly deadline: number;
}

/** Answers tables of prompts with tables of answers, a few at a time. */
export class BatchAnswers {
  readonly #options: BatchAnswersOptions;
  #open = 0;

  constructor(options: BatchAnswersOptions) {
    this.#options = options;
  }

  /**
   * Answers a POST to the link of a field: its body is a table of prompts, its query has the options of all. The body
   * is read whole; the answer is computed as it is read.
   *
   * @throws {InfoflowError} BAD_USER_INPUT for what can't be read; BODY_TOO_LARGE; OVERLOADED if too many are open.
   */
  async answer(field: BatchField, request: Request): Promise<Response> {
    const { args, layout } = readOptions(field, new URL(request.url));
    checkType(request);
    this.#enter();
    try {
      const table = readTable(await readBody(request, SIZE_LIMITS.batch));
      const column = promptColumn(table.schema);
      const calls: CallFacts[] = []; // not the answers, which the client may have read long ago
      const caller = new RowCaller(this.#options.deadline, (work, { waited, worked, result }) => {
        calls.push({ tokens: idsOf(work).length, waited, worked, cacheHit: result.cacheHit });
      });
      const models = this.#options.modelsFor(caller);
      const question = new BatchQuestion(models, { field, args, layout });
      const schema = answersSchema(question, table.schema, column);
      const counts = new Counts();
      const onRow = (row: RowAnswer): void => counts.add(row);
      const batches = answerBatches(question, table.batches(), { column, schema, onRow });
      const began = performance.now();
      const leave = (code: string): void => {
        this.#open--;
        caller.end();
        const took = performance.now() - began;
        const operation = `${kindOf(field)}.arrow rows`;
        this.#options.metrics.record({ operation, code, took, calls });
        this.#options.log.write("batch", {
          operation,
          code,
          ms: Math.round(took),
          ...counts.facts,
        });
      };
      const coding = chooseCoding(request.headers.get("accept-encoding"));
      const plain = encodeStream(schema, batches);
      const pieces = coding === "identity" ? plain : encodePieces(plain, coding);
      const body = this.#stream(pieces, { caller, leave });
      request.signal.addEventListener("abort", () => caller.leave(), { once: true });
      const headers = new Headers({
        "content-type": MEDIA_TYPES.stream,
        "cache-control": "no-store",
        vary: "accept-encoding",
      });
      if (coding !== "identity") headers.set("content-encoding", coding);
      return new Response(body, { headers });
    } catch (error) {
      this.#open--;
      throw error;
    }
  }

  /** Streams pieces as they are read. An error aborts the body, so that it never seems complete. */
  #stream(
    pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>,
    { caller, leave }: { caller: RowCaller; leave: (code: string) => void },
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let hasLeft = false;
    const end = (code: string): void => {
      if (!hasLeft) leave(code);
      hasLeft = true;
    };
    return new ReadableStream({
      pull: async (stream) => {
        try {
          const { done, value } = await pieces.next();
          if (!done) return stream.enqueue(value);
          end("OK");
          stream.close();
        } catch (error) {
          const isKnown = error instanceof InfoflowError;
          if (!isKnown) logError(error, this.#options.log);
          end(isKnown ? error.code : "INTERNAL_SERVER_ERROR");
          stream.error(error);
        }
      },
      cancel: () => {
        caller.leave();
        end("CANCELLED");
        pieces.return(undefined).catch(() => {});
      },
    }, { highWaterMark: 0 });
  }

  #enter(): void {
    if (this.#open >= MOST_OPEN) {
      throw new InfoflowError(
        "OVERLOADED",
        `Cannot take another batch as ${this.#open} are open: ask again in a moment`,
        { open: this.#open, retryAfter: RETRY_AFTER },
      );
    }
    this.#open++;
  }
}

/** Counts the rows of a batch. */
class Counts {
  #rows = 0;
  #refused = 0;
  #tokens = 0;

  add({ code, length }: RowAnswer): void {
    this.#rows++;
    this.#tokens += length;
    if (code !== null) this.#refused++;
  }

  get facts(): { readonly rows: number; readonly refused: number; readonly tokens: number } {
    return { rows: this.#rows, refused: this.#refused, tokens: this.#tokens };
  }
}

function readOptions(
  field: BatchField,
  { searchParams }: URL,
): { readonly args: Readonly<Record<string, unknown>>; readonly layout: BatchLayout } {
  const query = new URLSearchParams(searchParams);
  const layout = query.get("layout") ?? "nested";
  query.delete("layout");
  for (const name of ["prompt", "ids"]) {
    if (query.has(name)) {
      throw bad(`Cannot read the link as ${name} must be a column of the body, not in the link`);
    }
  }
  if (!BATCH_LAYOUTS.includes(layout as BatchLayout)) {
    throw bad(
      `Cannot read the link as layout must be one of ${
        BATCH_LAYOUTS.join(", ")
      }: current value is ${layout}`,
    );
  }
  if (query.get("compare") === "true") {
    throw bad("Cannot compare in a batch: ask for ablate, and for the same without it");
  }
  const { args } = readLink(field, `?${query}`, { isMatrix: false });
  return { args, layout: layout as BatchLayout };
}

function checkType({ headers }: Request): void {
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === MEDIA_TYPES.stream) return;
  throw bad(
    `Cannot read the body as its Content-Type must be ${MEDIA_TYPES.stream}: current value is ${
      type ?? "nothing"
    }`,
  );
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
