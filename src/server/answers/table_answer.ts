import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Answered } from "../../requests/questions.ts";
import { type Column, encodeTable } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { Answer, type LinkArguments } from "./answer.ts";
import type { Token } from "../../tokens/tokenize.ts";
import { textOf } from "./reading.ts";

/** The answer to a question about a prompt, as a table. */
export abstract class TableAnswer<Result extends Answered> extends Answer {
  #result: Promise<Result> | undefined;

  /** Asks the engine. */
  protected abstract ask(engine: ModelClient, ids: readonly number[]): Promise<Result>;

  /** The result as a table. */
  protected abstract columns(result: Result): readonly Column[] | Promise<readonly Column[]>;

  /** The prompt's tokens, BOS first. */
  get tokens(): readonly Token[] {
    return this.reading.tokens;
  }

  /** The sizes of the model that answers. */
  protected get architecture(): Architecture {
    return this.reading.model.engine.info.architecture;
  }

  /** The text that is shown for a token. */
  protected textOf(id: number): string {
    return textOf(this.reading, id);
  }

  protected override identity(): LinkArguments {
    return this.linkArguments;
  }

  /** The result, which is requested once. */
  compute(): Promise<Result> {
    const { model: { engine }, ids } = this.reading;
    return this.#result ??= this.ask(engine, ids);
  }

  /** The columns of the answer. */
  async table(): Promise<readonly Column[]> {
    return await this.columns(await this.compute());
  }

  override async cacheHit(): Promise<boolean> {
    return (await this.compute()).cacheHit;
  }

  /** The Arrow IPC stream of the answer. */
  override async arrow(): Promise<Uint8Array<ArrayBuffer>> {
    return await encodeTable(await this.table(), {
      ...this.metadata,
      tokens: this.tokens.map(({ text }) => text),
      ids: this.reading.ids,
      ...this.linkArguments,
    });
  }
}
