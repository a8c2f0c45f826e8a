import { hasCeScore } from "../../../src/requests/sae/far_off.ts";
import { html } from "../../draw/elements.ts";
import type { Question } from "../../server/answers.ts";
import { Failure } from "../../server/failure.ts";
import { askGraphQL } from "../../server/graphql.ts";
import type { Asked } from "../view.ts";
import type { SaeCard } from "./question.ts";

/** How well an autoencoder does on a prompt, beside what its makers report. */
export interface Fit {
  readonly report: Record<"l0" | "explainedVariance" | "ceScore", number | null>;
  readonly fit: {
    /** Features that are on at a position. */
    readonly l0: number;
    readonly explainedVariance: number;
    readonly ceScore: number;
    readonly ce: number;
    readonly ceWithZeros: number;
    readonly warning: string | null;
  };
}

/** Asks how well an autoencoder does on a prompt; gives nothing if that is not defined, as for one token. */
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
            fit(prompt: $prompt) { l0 explainedVariance ceScore ce ceWithZeros warning }
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

/** Of a prompt, what is measured without being asked for. */
const MOST_TOKENS = 32;

/**
 * How well an autoencoder does. It takes three forward passes, so that it is measured by itself once for each
 * autoencoder, on the beginning of the first prompt, and on others when the user asks.
 */
export class FitPanel {
  readonly element = html("div", { id: "sae-fit" });
  readonly warning = html("p", { class: "note", id: "sae-warning", role: "status" });
  /** By model and autoencoder: the prompt that it was measured on. */
  readonly #prompts = new Map<string, string>();
  #shown = "";

  /** Takes away what was measured of another autoencoder. */
  clearFor({ state: { model } }: Asked, { name }: SaeCard): void {
    const shown = JSON.stringify([model, name]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.replaceChildren();
    this.warning.textContent = "";
  }

  /** Measures an autoencoder where it was not measured yet, and draws what came. */
  async show(asked: Asked, sae: SaeCard): Promise<void> {
    const { state: { prompt, model }, spans, ask, isNewest } = asked;
    const key = JSON.stringify([model, sae.name]);
    const measured = this.#prompts.get(key) ?? prompt.slice(0, spans[MOST_TOKENS - 1]?.end);
    const fit = await ask(fitOf(measured, model, sae.name));
    if (fit) this.#prompts.set(key, measured);
    if (!isNewest()) return;
    this.warning.textContent = fit?.fit.warning ?? "";
    if (!fit) return drawUnmeasured(this.element, sae.name);
    drawFit(this.element, fit, { name: sae.name, on: measured === prompt ? undefined : measured });
    if (measured === prompt) return;
    const button = html("button", { type: "button" }, "Measure it on this prompt");
    button.addEventListener("click", () => {
      this.#prompts.set(key, prompt);
      button.disabled = true;
      this.show(asked, sae).catch(() => this.#prompts.set(key, measured));
    });
    this.element.append(button);
  }
}

function drawUnmeasured(element: HTMLElement, name: string): void {
  element.replaceChildren(html(
    "p",
    { class: "note" },
    `How well ${name} does is not measured here: that takes two tokens at least.`,
  ));
}

/** Draws how well an autoencoder does on a prompt, and what its makers report. */
function drawFit(
  element: HTMLElement,
  { fit, report }: Fit,
  { name, on }: { readonly name: string; readonly on: string | undefined },
): void {
  const row = (
    title: string,
    here: number | undefined,
    reported: number | null,
    said: (value: number) => string,
  ): HTMLElement =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, title),
      html("td", { class: "number" }, here === undefined ? "none" : said(here)),
      html("td", { class: "number" }, reported === null ? "not said" : said(reported)),
    );
  const column = (text: string): HTMLElement => html("th", { scope: "col", class: "number" }, text);
  const whole = (value: number): string => value.toFixed(1);
  const part = (value: number): string => value.toFixed(2).replace("-", "−");
  const hasScore = hasCeScore(fit);
  const table = html(
    "table",
    {},
    html(
      "caption",
      {},
      `How well ${name} does on ${on === undefined ? "this prompt" : `“${shortened(on)}”`}`,
    ),
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
      row("Loss saved (CE score)", hasScore ? fit.ceScore : undefined, report.ceScore, part),
    ),
  );
  const note =
    "What is reported is of long texts; on a prompt, which varies less, these are often lower." +
    (hasScore
      ? ""
      : " Zeros in this activation’s place cost next to nothing here, and the score is what is saved of that.");
  element.replaceChildren(table, html("p", { class: "note" }, note));
}

function shortened(prompt: string): string {
  const characters = Array.from(prompt);
  return characters.length > 40 ? `${characters.slice(0, 40).join("")}…` : prompt;
}
