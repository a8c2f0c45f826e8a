import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import { encodeGrid } from "../arrow/grid.ts";
import type { Token } from "../../tokens/tokenize.ts";
import { MatrixAnswer } from "./matrix_answer.ts";

/** An answer that is a number for each layer, head or position, or for some of these together. */
export abstract class GridAnswer extends MatrixAnswer {
  /** The numbers along each axis: layers, heads or positions. */
  protected abstract readonly labels: readonly (readonly number[])[];

  /** Its own Arrow metadata. */
  protected abstract gridMetadata(): Promise<Readonly<Record<string, unknown>>>;

  override get shape(): readonly number[] {
    return this.labels.map(({ length }) => length);
  }

  /** The prompt's tokens, BOS first: positions are their indices. */
  get tokens(): readonly Token[] {
    return this.reading.tokens;
  }

  override async arrow(form: ArrowForm = DEFAULT_FORM): Promise<Uint8Array<ArrayBuffer>> {
    const { axes, shape, labels } = this;
    const metadata = {
      ...this.metadata,
      tokens: this.tokens.map(({ text }) => text),
      ids: this.reading.ids,
      axes,
      shape,
      ...await this.gridMetadata(),
    };
    return encodeGrid({ axes, labels, values: await this.numbers() }, metadata, form);
  }
}

/** The first integers, from 0 on. */
export function counted(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
