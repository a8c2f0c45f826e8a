import { type DataType, Field, Float32, Int32, List, Struct, Utf8 } from "apache-arrow";

/** The layouts of a matrix in a row: nested lists, or flat with its shape. */
export const BATCH_LAYOUTS = ["nested", "flat"] as const;
/** One of {@linkcode BATCH_LAYOUTS}. */
export type BatchLayout = typeof BATCH_LAYOUTS[number];

/** The questions that can be asked about many prompts, by their fields in `schema.graphql`. */
export const BATCH_FIELDS = [
  "infoFlow",
  "attention",
  "nextTokens",
  "headScores",
  "features",
] as const;
/** One of {@linkcode BATCH_FIELDS}. */
export type BatchField = typeof BATCH_FIELDS[number];

type TableColumns = readonly (readonly [name: string, type: DataType])[];

/** The columns of a table, as its answer to one prompt has them: here they are members of a struct, a list of them a row. */
const TABLES: Readonly<Record<Exclude<BatchField, "infoFlow" | "attention">, TableColumns>> = {
  nextTokens: [
    ["rank", new Int32()],
    ["id", new Int32()],
    ["token", new Utf8()],
    ["logit", new Float32()],
    ["log_probability", new Float32()],
    ["probability", new Float32()],
  ],
  headScores: [
    ["layer", new Int32()],
    ["head", new Int32()],
    ["previous_token", new Float32()],
    ["bos", new Float32()],
    ["induction", new Float32()],
  ],
  features: [
    ["position", new Int32()],
    ["token", new Utf8()],
    ["feature", new Int32()],
    ["activation", new Float32()],
    ["rank", new Int32()],
  ],
};

/** The name of the column of a table, such as `next_tokens`. */
function columnOf(field: BatchField): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * The columns of results.
 *
 * @param axes How many axes a matrix of the field has.
 * @param lossEffect Whether features have their effects.
 */
export function resultFields(
  field: BatchField,
  { axes, layout, lossEffect }: {
    readonly axes: number;
    readonly layout: BatchLayout;
    readonly lossEffect: boolean;
  },
): Field[] {
  if (field === "infoFlow" || field === "attention") {
    const list = (type: DataType): List => new List(new Field("item", type, true));
    const nested = (depth: number): DataType =>
      depth === 0 ? new Float32() : list(nested(depth - 1));
    if (layout === "nested") {
      return [
        new Field("dropped", nested(axes - 1), true),
        new Field("flow", nested(axes), true),
      ];
    }
    return [
      new Field("shape", list(new Int32()), true),
      new Field("dropped", nested(1), true),
      new Field("flow", nested(1), true),
    ];
  }
  const columns = [...TABLES[field]];
  if (lossEffect) columns.push(["loss_effect", new Float32()]);
  const members = columns.map(([name, type]) => new Field(name, type, true));
  const item = new Field("item", new Struct(members), true);
  return [new Field(columnOf(field), new List(item), true)];
}

/** The columns before and after the results. */
export const LEADING: readonly Field[] = [
  new Field("answer_id", new Utf8(), true),
  new Field("tokens", new List(new Field("item", new Utf8(), true)), true),
];
export const TRAILING: readonly Field[] = [
  new Field("code", new Utf8(), true),
  new Field("message", new Utf8(), true),
];
