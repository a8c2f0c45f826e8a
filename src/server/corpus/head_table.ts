import { html } from "hono/html";
import { type CorpusView, type Html, linkTo, shown } from "./corpus_view.ts";
import type { FinishedRun } from "./finished_run.ts";

/** Steps of the shade of a cell: classes `shade-0` to `shade-10` of `web/corpus.css`. */
const SHADES = 10;

/** A statistic of every head: layers down, heads across; each leads to its head. */
export function headTable(
  { all, layers, heads }: FinishedRun,
  { statistic, head: chosen }: CorpusView,
): Html {
  const known = all.map(({ values }) => values[statistic]).filter((it) => typeof it === "number");
  const [least, most] = [Math.min(0, ...known), Math.max(...known)];
  const shadeOf = (value: number | null): number =>
    value === null || most === least ? 0 : Math.round(SHADES * (value - least) / (most - least));
  const numbers = Array.from({ length: heads }, (_, head) => head);
  return html`
    <div class="scroll">
      <table class="heads">
        <thead>
          <tr><th scope="col">Layer</th>${numbers.map((head) =>
            html`<th scope="col">${head}</th>`
          )}</tr>
        </thead>
        <tbody>${Array.from(
          { length: layers },
          (_, layer) =>
            html`<tr><th scope="row">${layer}</th>${
              numbers.map((number) => {
                const head = all[layer * heads + number]!;
                const value = head.values[statistic] ?? null;
                const current = head === chosen
                  ? html`
                    aria-current="true"
                  `
                  : "";
                return html`<td class="shade-${shadeOf(value)}"><a href="${
                  linkTo({ statistic, head })
                }"${current}
aria-label="head ${layer}.${number}: ${shown(value)}">${shown(value)}</a></td>`;
              })
            }</tr>`,
        )}</tbody>
      </table>
    </div>
  `;
}
