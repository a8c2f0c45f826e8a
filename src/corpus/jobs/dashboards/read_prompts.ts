import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { openBuffer } from "../../input/read_parquet.ts";
import type { ExamplePrompt } from "../statistics_table.ts";

/** Reads the prompts that a part has written, a row group at a time. */
export async function* readPrompts(path: string): AsyncGenerator<ExamplePrompt> {
  using source = await openBuffer(path);
  const { buffer: file } = source;
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
    for (const { prompt, text, ids, tokens } of rows) {
      yield {
        row: Number(prompt),
        prompt: text as string | null,
        ids: Array.from(ids as ArrayLike<number>),
        tokens: tokens as string[],
      };
    }
    rowStart = rowEnd;
  }
}
