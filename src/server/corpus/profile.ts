import { html } from "hono/html";
import type { Html } from "./corpus_view.ts";
import type { RunHead } from "./finished_run.ts";

const WIDTH = 640;
const HEIGHT = 180;
const LEFT = 44;
const BOTTOM = 24;

/** The mean weight at each distance, as lines: of the head with BOS and without, and of its layer's flow. */
export function profile({ byDistance, byDistanceNoBos, flowByDistance }: RunHead): Html {
  const lines = [
    { name: "all sources", className: "all", values: byDistance },
    { name: "without BOS", className: "no-bos", values: byDistanceNoBos },
    { name: "flow of the layer", className: "flow", values: flowByDistance },
  ];
  const most = Math.max(1e-9, ...lines.flatMap(({ values }) => values.map((it) => it ?? 0)));
  const last = byDistance.length - 1;
  const x = (distance: number): number => LEFT + (WIDTH - LEFT - 8) * distance / last;
  const y = (value: number): number => 8 + (HEIGHT - BOTTOM - 8) * (1 - value / most);
  const points = (values: readonly (number | null)[]): string =>
    values.map((value, d) => value === null ? "" : `${x(d).toFixed(1)},${y(value).toFixed(1)}`)
      .filter(Boolean).join(" ");
  return html`
    <div class="scroll">
      <svg class="profile" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}"
        height="${HEIGHT}" role="img" aria-label="Mean weight by distance: at most ${most.toFixed(
          3,
        )}">
    <line class="axis" x1="${LEFT}" y1="${y(0)}" x2="${WIDTH - 8}" y2="${y(0)}"/>
    <text x="${LEFT - 6}" y="${y(most) + 4}" text-anchor="end">${most.toFixed(2)}</text>
    <text x="${LEFT - 6}" y="${y(0) + 4}" text-anchor="end">0</text>
    ${[0, 8, 16, 24, last].map((d) =>
      html`<text x="${x(d)}" y="${HEIGHT - 6}" text-anchor="middle">${d}</text>`
    )}
    ${lines.map(({ className, values }) =>
      html`
        <polyline class="${className}" points="${points(values)}" />
      `
    )}
      </svg>
    </div>
    <p class="key">${lines.map(({ name, className }) =>
      html`
        <span class="${className}">${name}</span>
      `
    )}</p>
  `;
}
