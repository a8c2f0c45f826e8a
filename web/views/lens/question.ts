import type { Table } from "@uwdata/flechette";
import type { Call } from "../../calls/call.ts";
import type { Question } from "../../server/answers.ts";
import { fetchTable } from "../../server/table.ts";

/** A token that a position would predict after a layer. */
export interface LensToken {
  readonly text: string;
  readonly probability: number;
}

/** The likeliest tokens of each layer and position, best first. */
export interface Lens {
  /** Layers, the embedding among them. */
  readonly rows: number;
  readonly positions: number;
  /** Row by row. */
  readonly cells: readonly (readonly LensToken[])[];
}

/** How many tokens of a cell are asked for: a chosen token that is not among them counts as 0. */
const MOST = 20;

/** The question to the API. */
export function lensCall(prompt: string, model: string | undefined): Call {
  return {
    field: "logitLens",
    args: { prompt, model, k: MOST },
    selects: "tokens { text } url",
  };
}

/** Asks what every position would predict after each layer. */
export function lensOf(prompt: string, model: string | undefined): Question<Lens> {
  return {
    key: `lens ${JSON.stringify([prompt, model])}`,
    kept: 4,
    fetch: async (signal) => readLens((await fetchTable(lensCall(prompt, model), signal)).table),
  };
}

function readLens(table: Table): Lens {
  const column = (name: string): ArrayLike<unknown> => table.getChild(name)!.toArray();
  const [layer, position, token, probability] = ["layer", "position", "token", "probability"]
    .map(column) as [ArrayLike<number>, ArrayLike<number>, ArrayLike<string>, ArrayLike<number>];
  const last = table.numRows - 1;
  const [rows, positions] = [layer[last]! + 1, position[last]! + 1];
  const cells = Array.from({ length: rows * positions }, (): LensToken[] => []);
  for (let row = 0; row < table.numRows; row++) {
    cells[layer[row]! * positions + position[row]!]!.push({
      text: token[row]!,
      probability: probability[row]!,
    });
  }
  return { rows, positions, cells };
}
