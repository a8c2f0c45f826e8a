import { type DataType, type Field, type Schema, Type, type Vector } from "apache-arrow";
import { InfoflowError } from "../../errors.ts";

/** Which column of a table has the prompts, and how. */
export interface PromptColumn {
  readonly name: string;
  /** Texts, or whole lists of token ids as the model gets them. */
  readonly kind: "prompt" | "ids";
}

/** What stands in a row for the model to read; null where nothing does. */
export type RowPrompt =
  | { readonly prompt: string }
  | { readonly ids: readonly number[] }
  | null;

/**
 * Finds the column of the prompts: the one that is named, or `prompt`, or `ids`.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is none, if there are both, or it has another type; the text has the
 *   columns that there are.
 */
export function promptColumn({ fields }: Schema, named?: string): PromptColumn {
  const names = fields.map(({ name }) => name);
  const there = ["prompt", "ids"].filter((name) => names.includes(name));
  if (named === undefined && there.length === 2) {
    throw bad("Cannot read prompts as there must be a column prompt or ids: there are both");
  }
  const name = named ?? there[0] ?? "prompt";
  const field = fields.find((it) => it.name === name);
  if (!field) {
    throw bad(
      `Cannot read prompts as there is no column ${name}: there are ${names.join(", ") || "none"}`,
    );
  }
  return { name, kind: kindOf(field) };
}

function kindOf({ name, type }: Field): PromptColumn["kind"] {
  const plain = type.typeId === Type.Dictionary ? type.dictionary as DataType : type;
  if ([Type.Utf8, Type.LargeUtf8].includes(plain.typeId)) return "prompt";
  const isList = [Type.List, Type.FixedSizeList].includes(type.typeId);
  if (isList && (type.children[0] as Field).type.typeId === Type.Int) return "ids";
  throw bad(
    `Cannot read prompts as column ${name} must have texts, or lists of whole numbers (token ids): ` +
      `current value is ${type}`,
  );
}

/** The prompts of a column, row by row. */
export function* promptsIn(
  column: Vector,
  { kind }: Pick<PromptColumn, "kind">,
): Generator<RowPrompt> {
  for (const value of column) {
    if (value === null || value === undefined) yield null;
    else if (kind === "prompt") yield { prompt: value as string };
    else yield idsOf(value as Vector);
  }
}

function idsOf(list: Vector): RowPrompt {
  const ids = Array.from(list, (id) => id === null ? null : Number(id));
  return ids.includes(null) ? null : { ids: ids as number[] };
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
