import { LRUCache } from "lru-cache";
import { type ArrowForm, EXTENSIONS, MEDIA_TYPES } from "../arrow/form.ts";
import { csvOf } from "../arrow/csv.ts";
import type { Answer } from "../answers/answer.ts";
import { copyInPieces } from "../helper/copy_in_pieces.ts";
import { claimedArrow } from "../answers/claimed_arrow.ts";
import { kindOf } from "../links/paths.ts";
import type { Representation } from "./representation.ts";

/** Bytes of Arrow that are written as CSV at once; more are in the helping thread. */
const MOST_AT_ONCE = 64 * 1024;

/** Recently requested files: a client that reads a file in ranges asks several times. */
export type RecentFiles = LRUCache<string, Uint8Array<ArrayBuffer>>;

/** Remembers files up to a number of bytes. */
export function recentFiles(bytes: number): RecentFiles {
  return new LRUCache({ maxSize: bytes, sizeCalculation: (file) => file.length });
}

/** The answer as CSV, for spreadsheets; a matrix with a row for each number. */
export function csvRepresentation(answer: Answer): Representation {
  const { id, field } = answer;
  return {
    type: "text/csv; charset=utf-8; header=present",
    filename: `${kindOf(field)}-${id.slice(0, 8)}.csv`,
    tag: `${id}.csv`,
    bytes: async () => {
      const stream = await answer.arrow({ layout: "tidy", format: "stream" });
      const { helper } = answer.reading.model;
      if (!helper || stream.length <= MOST_AT_ONCE) return csvOf(stream);
      const copy = await copyInPieces(stream);
      return await helper.ask("csv", { stream: copy }, [copy.buffer]);
    },
  };
}

/** The Arrow bytes of an answer as a representation. */
export function arrowRepresentation(
  answer: Answer,
  form: ArrowForm,
  recent: RecentFiles,
): Representation {
  const { layout, format } = form;
  const { id, field } = answer;
  const variant = [layout, format].filter((word) => word !== "rows" && word !== "stream");
  const tag = [id, ...variant].join(".");
  const words = [kindOf(field), id.slice(0, 8), ...(layout === "rows" ? [] : [layout])];
  return {
    type: MEDIA_TYPES[format],
    filename: `${words.join("-")}.${EXTENSIONS[format]}`,
    tag,
    bytes: async () => {
      const known = recent.get(tag);
      if (known) return known;
      const bytes = await claimedArrow(answer, form);
      if (format === "file") recent.set(tag, bytes);
      return bytes;
    },
  };
}
