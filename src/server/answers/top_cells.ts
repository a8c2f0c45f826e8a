import TinyQueue from "tinyqueue";
import type { MatrixAnswer } from "./matrix_answer.ts";

/** A number of a matrix with its label along each axis, such as `layer` or `target`. */
export type Cell = Readonly<Record<string, number>> & { readonly weight: number };

interface Found {
  readonly at: number;
  readonly size: number;
}

/**
 * The largest numbers of a matrix, whatever their sign, the largest first and the earliest of equals. What lies above the
 * diagonal, where nothing can be, is no number.
 */
export async function topCells(answer: MatrixAnswer, count: number): Promise<Cell[]> {
  const { axes, shape } = answer;
  const numbers = await answer.numbers();
  // The smallest one found is replaced first.
  const found = new TinyQueue<Found>([], (a, b) => a.size - b.size || b.at - a.at);
  numbers.forEach((number, at) => {
    const size = Math.abs(number);
    if (found.length === count && size <= found.peek()!.size) return;
    if (isAbove(answer, at)) return;
    found.push({ at, size });
    if (found.length > count) found.pop();
  });
  const cells: Cell[] = [];
  for (let one = found.pop(); one; one = found.pop()) {
    const cell: Record<string, number> = {};
    let rest = one.at;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      cell[axes[axis]!] = answer.along(axes[axis]!, rest % shape[axis]!);
      rest = Math.floor(rest / shape[axis]!);
    }
    cells.push({ ...cell, weight: numbers[one.at]! });
  }
  return cells.reverse();
}

function isAbove(answer: MatrixAnswer, at: number): boolean {
  const { axes, shape } = answer;
  if (axes.at(-1) !== "source" || axes.at(-2) !== "target") return false;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const target = answer.along("target", Math.floor(at / columns) % rows);
  return answer.along("source", at % columns) > target;
}
