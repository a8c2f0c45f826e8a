import { Answer } from "./answer.ts";

/** An answer that is numbers along axes, the type `Matrix` of `schema.graphql`. */
export abstract class MatrixAnswer extends Answer {
  /** The names of the axes, such as `target`. */
  abstract readonly axes: readonly string[];
  /** The length of each axis. */
  abstract readonly shape: readonly number[];

  /** The numbers, row-major. */
  abstract numbers(): Promise<Float32Array>;

  /** The label of an index along an axis, such as a layer's number. */
  along(_axis: string, index: number): number {
    return index;
  }

  /** How many numbers there are. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }
}
