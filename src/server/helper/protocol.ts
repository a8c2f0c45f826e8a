import type { ErrorCode, InfoflowError } from "../../errors.ts";
import type { ArrowForm } from "../arrow/form.ts";
import type { LabelledMatrix, Metadata } from "../arrow/labelled_matrix.ts";
import type { Encoding } from "../../tokens/text_reader.ts";

/** Where a model's tokenizer is read from, see {@linkcode readTokenizer}. */
export interface TokenizerPlace {
  readonly directory: string;
  readonly isKnown: boolean;
}

/** The calls of the helper thread. */
export interface HelperCalls {
  /** The Arrow IPC of a matrix. */
  arrow: {
    argument: {
      readonly matrix: LabelledMatrix;
      readonly metadata: Metadata;
      readonly form: ArrowForm;
    };
    result: Uint8Array<ArrayBuffer>;
  };
  /** The CSV of an Arrow stream. */
  csv: { argument: { readonly stream: Uint8Array<ArrayBuffer> }; result: Uint8Array<ArrayBuffer> };
  /** The tokens of a text. */
  tokens: {
    argument: TokenizerPlace & { readonly text: string; readonly specialTokens: boolean };
    result: Encoding;
  };
}

/** A call on its way to the thread. */
export type HelperRequest = {
  [Name in keyof HelperCalls]: {
    readonly id: number;
    readonly call: Name;
    readonly argument: HelperCalls[Name]["argument"];
  };
}[keyof HelperCalls];

/** A reply: a result, or an error's text and code. */
export type HelperReply =
  | { readonly id: number; readonly result: HelperCalls[keyof HelperCalls]["result"] }
  | {
    readonly id: number;
    readonly message: string;
    readonly code: ErrorCode | undefined;
    readonly details: InfoflowError["details"] | undefined;
  };
