import { createHash } from "node:crypto";
import { LAYOUT_VERSION } from "../arrow/layout_version.ts";
import { type Column, encodeTable } from "../arrow/table.ts";
import type { ModelEngine } from "../queue/request_engine.ts";
import type { LoadedModel } from "./info_flow.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import { type Token, tokenize, tokenText } from "../../tokens/tokenize.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "../../tokens/tokenizer.ts";
import type { Answered } from "../../requests/questions.ts";

/** What sets a question apart from others about the same prompt, as a link says it; undefined is left out. */
export type LinkOptions = Readonly<Record<string, string | number | undefined>>;

/**
 * The answer to a question about a prompt, as a table. What it is about is known at once; it is computed when it is
 * first asked for.
 */
export abstract class TableAnswer<Result extends Answered> {
  readonly prompt: string;
  /** The prompt's tokens, BOS first. */
  readonly tokens: readonly Token[];
  readonly #model: LoadedModel;
  #result: Promise<Result> | undefined;

  /** @throws {InfoflowError} PROMPT_EMPTY; PROMPT_TOO_LONG; BAD_USER_INPUT for a lone surrogate. */
  constructor(model: LoadedModel, prompt: string) {
    model.engine.admit(); // no work for what will be refused
    this.prompt = prompt;
    this.tokens = tokenize(
      prompt,
      model.engine.info.architecture.context,
      model.tokenizer,
    );
    this.#model = model;
  }

  /** The last part of its links, such as `next-tokens`. */
  abstract readonly kind: string;

  /** What its links say beside the prompt. */
  abstract readonly options: LinkOptions;

  /** Asks the engine. */
  protected abstract ask(engine: ModelEngine, ids: readonly number[]): Promise<Result>;

  /** The result as a table. */
  protected abstract columns(result: Result): readonly Column[];

  /** The sizes of the model that answers. */
  protected get architecture(): Architecture {
    return this.#model.engine.info.architecture;
  }

  /** How the model reads text. */
  protected get tokenizer(): Tokenizer {
    return this.#model.tokenizer ?? GPT2_TOKENIZER;
  }

  /** What a person reads for a token. */
  protected textOf(id: number): string {
    return tokenText(id, this.tokenizer);
  }

  /** A hash of the model, where it runs, the token ids and the options: same id, same bytes. */
  get id(): string {
    const { name, engine } = this.#model;
    return createHash("sha256").update(JSON.stringify([
      LAYOUT_VERSION,
      this.kind,
      name,
      engine.info.fingerprint,
      engine.info.device.description,
      this.tokens.map(({ id }) => id),
      this.options,
    ])).digest("hex").slice(0, 32);
  }

  /** The result; it is asked for once, however often it is used. */
  compute(): Promise<Result> {
    return this.#result ??= this.ask(this.#model.engine, this.tokens.map(({ id }) => id));
  }

  /** The Arrow IPC stream of the answer. */
  async arrow(): Promise<Uint8Array<ArrayBuffer>> {
    const { name, engine } = this.#model;
    return encodeTable(this.columns(await this.compute()), {
      version: LAYOUT_VERSION,
      id: this.id,
      model: name,
      fingerprint: engine.info.fingerprint,
      prompt: this.prompt,
      tokens: this.tokens.map(({ text }) => text),
      ids: this.tokens.map(({ id }) => id),
      ...this.options,
    });
  }

  /** Where its bytes are. */
  url(origin: string): string {
    const url = new URL(`${origin.replace(/\/$/, "")}/${this.kind}.arrow`);
    url.searchParams.set("prompt", this.prompt);
    if (this.#model.isFurther) url.searchParams.set("model", this.#model.name);
    for (const [name, value] of Object.entries(this.options)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    url.search = url.search.replace(/(?<=&ablate=)[^&]*/, (list) => list.replaceAll("%2C", ","));
    return url.href;
  }
}
