import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import { isByHead } from "../../requests/flow_options.ts";
import type { InfoFlow } from "../answers/info_flow.ts";

/** Where the Arrow bytes of flows are. */
export const FLOW_PATH = "/info-flow.arrow";
/** Where those of attention patterns are. */
export const ATTENTION_PATH = "/attention.arrow";

/** A link to the Arrow bytes of a matrix. */
export function arrowUrl(
  origin: string,
  { prompt, options, further }: InfoFlow,
  { layout, format }: ArrowForm = DEFAULT_FORM,
): string {
  const path = isByHead(options) ? ATTENTION_PATH : FLOW_PATH;
  const url = new URL(origin.replace(/\/$/, "") + path);
  const { searchParams } = url;
  searchParams.set("prompt", prompt);
  if (further !== undefined) searchParams.set("model", further);
  if (!isByHead(options)) {
    searchParams.set("byLayer", String(options.byLayer));
    searchParams.set("aggregation", options.aggregation);
    if (options.method) searchParams.set("method", options.method);
    const ablate = options.ablate?.map(({ layer, head }) => `${layer}.${head}`);
    if (ablate?.length) searchParams.set("ablate", ablate.join());
    if (options.compare) searchParams.set("compare", "true");
  }
  searchParams.set("bos", options.bos);
  const { layers, heads } = options;
  const cells = isByHead(options) ? options.cells : undefined;
  for (const [name, value] of Object.entries({ layers, heads, cells })) {
    if (value !== undefined && value !== null) searchParams.set(name, String(value));
  }
  if (layout !== DEFAULT_FORM.layout) searchParams.set("layout", layout);
  if (format !== DEFAULT_FORM.format) searchParams.set("format", format);
  // Commas may stand in a query as they are, and read better.
  url.search = url.search.replace(
    /(?<=&(?:layers|heads|ablate)=)[^&]*/g,
    (list) => list.replaceAll("%2C", ","),
  );
  return url.href;
}
