import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import { type LinkParameter, linkParameters } from "./link_parameters.ts";
import { pathOf } from "./paths.ts";

/** Parts of a query in which commas are not percent-encoded, to be easier to read. */
const LISTS = /(?<=[?&](?:layers|heads|ablate|ids|targets|positions|features)=)[^&]*/g;

/**
 * Writes a link that {@linkcode readLink} reads.
 *
 * @param origin Where it begins, such as `http://127.0.0.1:8000`.
 * @param args The arguments of the field; what is undefined or null is left out.
 */
export function writeLink(
  origin: string,
  field: string,
  args: Readonly<Record<string, unknown>>,
  { layout, format }: ArrowForm = DEFAULT_FORM,
): string {
  const url = new URL(origin.replace(/\/$/, "") + pathOf(field));
  const { searchParams } = url;
  for (const parameter of linkParameters(field)) {
    const value = args[parameter.name];
    if (value === undefined || value === null) continue;
    for (const text of textsOf(parameter, value)) searchParams.append(parameter.name, text);
  }
  if (layout !== DEFAULT_FORM.layout) searchParams.set("layout", layout);
  if (format !== DEFAULT_FORM.format) searchParams.set("format", format);
  url.search = url.search.replace(LISTS, (list) => list.replaceAll("%2C", ","));
  // A final character that chat programs would cut off a link as punctuation is percent-encoded.
  return url.href.replace(/[.*_]+$/, (end) => Array.from(end, escaped).join(""));
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function textsOf({ kind, isList }: LinkParameter, value: unknown): string[] {
  const values = isList ? value as unknown[] : [value];
  if (kind === "object") return [JSON.stringify(value)];
  if (kind === "token" || kind === "string") return values.map(String);
  if (kind !== "head") return [values.join()];
  return [values.map((it) => headText(it as { layer: number; head: number })).join()];
}

function headText({ layer, head }: { layer: number; head: number }): string {
  return `${layer}.${head}`;
}
