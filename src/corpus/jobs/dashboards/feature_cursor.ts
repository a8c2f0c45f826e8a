import { emptyRows, type FeatureRows, FeatureRowsFile } from "./feature_rows.ts";

/** Reads files whose rows are by feature, feature by feature: of each file, a row group is in memory. */
export class FeatureCursor {
  readonly #files: {
    readonly file: FeatureRowsFile;
    rows: FeatureRows;
    at: number;
    next: number;
  }[];

  private constructor(files: readonly FeatureRowsFile[]) {
    this.#files = files.map((file) => ({ file, rows: emptyRows(0), at: 0, next: 0 }));
  }

  /** @param paths In the order of their prompts. */
  static async open(paths: readonly string[]): Promise<FeatureCursor> {
    const files: FeatureRowsFile[] = [];
    for (const path of paths) files.push(await FeatureRowsFile.open(path));
    return new FeatureCursor(files);
  }

  /** Calls `take` for the places of a feature, by prompt and position. Features are asked for in their order. */
  async of(
    feature: number,
    take: (prompt: number, position: number, activation: number) => void,
  ): Promise<void> {
    for (const it of this.#files) {
      for (;;) {
        const { rows: { features, prompts, positions, activations } } = it;
        while (it.at < features.length && features[it.at] === feature) {
          const at = it.at++;
          take(prompts[at]!, positions[at]!, activations[at]!);
        }
        if (it.at < features.length || it.next === it.file.groups) break;
        it.rows = await it.file.group(it.next++);
        it.at = 0;
      }
    }
  }
}
