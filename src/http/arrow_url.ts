import type { InfoFlow } from "../infoflow.ts";

/** Where the Arrow bytes of flows are. */
export const ARROW_PATH = "/info-flow.arrow";

/** A link to the Arrow bytes of a flow. */
export function arrowUrl(origin: string, { prompt, options }: InfoFlow): string {
  const url = new URL(origin.replace(/\/$/, "") + ARROW_PATH);
  url.searchParams.set("prompt", prompt);
  url.searchParams.set("byLayer", String(options.byLayer));
  url.searchParams.set("aggregation", options.aggregation);
  url.searchParams.set("bos", options.bos);
  return url.href;
}
