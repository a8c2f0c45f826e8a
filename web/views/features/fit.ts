import { html } from "../../draw/elements.ts";
import type { Question } from "../../server/answers.ts";
import { Failure } from "../../server/failure.ts";
import { askGraphQL } from "../../server/graphql.ts";

/** How well an autoencoder does on a prompt, beside what its makers report. */
export interface Fit {
  readonly report: Record<"l0" | "explainedVariance" | "ceScore", number | null>;
  readonly fit: {
    /** Features that are on at a position. */
    readonly l0: number;
    readonly explainedVariance: number;
    readonly ceScore: number;
    readonly warning: string | null;
  };
}

/** Asks how well an autoencoder does on a prompt; nothing where that can't be said, as of one token. */
export function fitOf(
  prompt: string,
  model: string | undefined,
  sae: string,
): Question<Fit | undefined> {
  return {
    key: `sae-fit ${JSON.stringify([prompt, model, sae])}`,
    fetch: async (signal) => {
      // By way of the one autoencoder: in `saes` the fit of each would be computed.
      const query = `query Fit($prompt: String!, $model: String, $sae: String!) {
        features(prompt: $prompt, model: $model, sae: $sae) {
          sae {
            report { l0 explainedVariance ceScore }
            fit(prompt: $prompt) { l0 explainedVariance ceScore warning }
          }
        }
      }`;
      try {
        type Data = { readonly features: { readonly sae: Fit } };
        return (await askGraphQL<Data>(query, { prompt, model, sae }, signal)).features.sae;
      } catch (error) {
        if (error instanceof Failure && error.kind === "refused") return undefined;
        throw error;
      }
    },
  };
}

/** Draws how well an autoencoder does on the prompt, and what its makers report. */
export function drawFit(element: HTMLElement, name: string, found: Fit | undefined): void {
  if (!found) {
    element.replaceChildren(html(
      "p",
      { class: "note" },
      `How well ${name} does is not measured here: that takes two tokens at least.`,
    ));
    return;
  }
  const { fit, report } = found;
  const row = (
    title: string,
    here: number,
    reported: number | null,
    said: (value: number) => string,
  ): HTMLElement =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, title),
      html("td", { class: "number" }, said(here)),
      html("td", { class: "number" }, reported === null ? "not said" : said(reported)),
    );
  const column = (text: string): HTMLElement => html("th", { scope: "col", class: "number" }, text);
  const whole = (value: number): string => value.toFixed(1);
  const part = (value: number): string => value.toFixed(2).replace("-", "−");
  const table = html(
    "table",
    {},
    html("caption", {}, `How well ${name} does on this prompt`),
    html(
      "thead",
      {},
      html("tr", {}, html("th", { scope: "col" }, "Measure"), column("Here"), column("Reported")),
    ),
    html(
      "tbody",
      {},
      row("Features on at a token", fit.l0, report.l0, whole),
      row("Variance explained", fit.explainedVariance, report.explainedVariance, part),
      row("Loss saved (CE score)", fit.ceScore, report.ceScore, part),
    ),
  );
  const note =
    "What is reported is of long texts; on a prompt, which varies less, these are often lower.";
  element.replaceChildren(table, html("p", { class: "note" }, note));
}
