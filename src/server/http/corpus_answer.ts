import { corpusPage } from "../corpus/corpus_page.ts";
import { readView } from "../corpus/corpus_view.ts";
import type { FinishedRun } from "../corpus/finished_run.ts";
import { pagePolicy } from "./security_headers.ts";

/** Where the page of a finished run is. */
export const CORPUS_PATH = "/corpus";

/**
 * Shows a statistic of all heads of a finished run, and one of the heads.
 *
 * @param origins Other origins whose pages may show it in a frame.
 */
export async function corpusAnswer(
  run: FinishedRun,
  request: Request,
  origins: readonly string[],
): Promise<Response> {
  const view = readView(run, new URL(request.url).searchParams);
  return new Response(String(await corpusPage(run, view)), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": pagePolicy(origins),
    },
  });
}
