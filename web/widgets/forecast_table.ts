import { html } from "../draw/elements.ts";
import { share } from "../draw/format.ts";
import type { Forecast, Prediction } from "../server/forecast.ts";
import { tokenOf } from "./details.ts";

const MOST_ROWS = 6;

/** Draws what the model expects next; where something is changed, before and after. */
export function drawForecast(
  element: HTMLElement,
  { whole, without }: Forecast,
  [before, after]: readonly [before: string, after: string] = ["All heads", "Without"],
): void {
  const rows = (without ? both(whole, without) : whole.slice(0, MOST_ROWS)).map(({ text }) => {
    const cells = [whole, ...(without ? [without] : [])].map((list) =>
      html("td", { class: "number" }, said(list, text))
    );
    return html("tr", {}, html("th", { scope: "row" }, tokenOf(text)), ...cells);
  });
  const column = (text: string): HTMLElement => html("th", { scope: "col", class: "number" }, text);
  const head = html(
    "tr",
    {},
    html("th", { scope: "col" }, "Token"),
    ...(without ? [column(before), column(after)] : [column("Probability")]),
  );
  element.replaceChildren(html(
    "table",
    {},
    html("caption", {}, "What comes next"),
    html("thead", {}, head),
    html("tbody", {}, ...rows),
  ));
}

/** The likeliest of both lists, those of the whole model first. */
function both(whole: readonly Prediction[], without: readonly Prediction[]): Prediction[] {
  const first = whole.slice(0, MOST_ROWS - 2);
  const others = without.filter(({ text }) => !first.some((known) => known.text === text));
  return [...first, ...others.slice(0, MOST_ROWS - first.length)];
}

function said(list: readonly Prediction[], text: string): string {
  const found = list.find((prediction) => prediction.text === text);
  return found ? share(found.probability) : `<${share(list.at(-1)?.probability ?? 0)}`;
}
