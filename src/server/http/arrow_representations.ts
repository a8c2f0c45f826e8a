import { LRUCache } from "lru-cache";
import { type ArrowForm, EXTENSIONS, MEDIA_TYPES } from "../arrow/form.ts";
import { isByHead } from "../../requests/flow_options.ts";
import type { InfoFlow } from "../answers/info_flow.ts";
import type { Answered } from "../../requests/questions.ts";
import type { TableAnswer } from "../answers/table_answer.ts";
import type { Representation } from "./representation.ts";

/** Bytes of files that were asked for lately: whoever reads a file by its parts asks several times. */
export type RecentFiles = LRUCache<string, Uint8Array<ArrayBuffer>>;

/** Remembers files up to so many bytes. */
export function recentFiles(bytes: number): RecentFiles {
  return new LRUCache({ maxSize: bytes, sizeCalculation: (file) => file.length });
}

/** A matrix as HTTP hands it out. */
export function matrixRepresentation(
  matrix: InfoFlow,
  form: ArrowForm,
  recent: RecentFiles,
): Representation {
  const { layout, format } = form;
  const variant = [layout, format].filter((word) => word !== "rows" && word !== "stream");
  const tag = [matrix.id, ...variant].join(".");
  const name = isByHead(matrix.options) ? "attention" : "info-flow";
  const words = [name, matrix.id.slice(0, 8), ...(layout === "rows" ? [] : [layout])];
  return {
    type: MEDIA_TYPES[format],
    filename: `${words.join("-")}.${EXTENSIONS[format]}`,
    tag,
    bytes: async () => {
      const known = recent.get(tag);
      if (known) return known;
      const bytes = await matrix.arrow(form);
      if (format === "file") recent.set(tag, bytes);
      return bytes;
    },
  };
}

/** A table as HTTP hands it out. */
export function tableRepresentation(table: TableAnswer<Answered>): Representation {
  return {
    type: MEDIA_TYPES.stream,
    filename: `${table.kind}-${table.id.slice(0, 8)}.${EXTENSIONS.stream}`,
    tag: table.id,
    bytes: () => table.arrow(),
  };
}
