import type { GridCell, GridPicture } from "../../draw/grid_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import { signed } from "./details.ts";
import type { ActiveFeature, FeatureFlow } from "./question.ts";

/** Features that are shown at once. */
const MOST_ROWS = 14;

/** The features of the rows: those of the chosen token, the strongest first, then the strongest elsewhere. */
export function chosenRows(
  active: readonly ActiveFeature[],
  token: number,
  chosen: number | undefined,
): number[] {
  const here = active.filter(({ position }) => position === token);
  const elsewhere = active.toSorted((a, b) => b.activation - a.activation);
  const ordered = [...here, ...elsewhere].map(({ feature }) => feature);
  return [...new Set(chosen === undefined ? ordered : [chosen, ...ordered])].slice(0, MOST_ROWS);
}

/** Draws features by tokens. */
export function pictureOf(
  active: readonly ActiveFeature[],
  { features, tokens, chosen }: {
    readonly features: readonly number[];
    readonly tokens: readonly string[];
    readonly chosen: { readonly feature: number; readonly token: number };
  },
): GridPicture {
  const top = active.reduce((most, { activation }) => Math.max(most, activation), 0) || 1;
  const known = new Map(
    active.map(({ position, feature, activation }) => [`${feature}/${position}`, activation]),
  );
  const cells = features.flatMap((feature) =>
    tokens.map((text, position): GridCell => {
      const value = known.get(`${feature}/${position}`) ?? 0;
      return {
        value,
        ...value > 0 && { text: value.toFixed(1) },
        says: `Feature ${feature} at ${labelText(text)}: ${
          value > 0 ? value.toFixed(2) : "off, or not among the strongest"
        }`,
      };
    })
  );
  const row = features.indexOf(chosen.feature);
  return {
    rows: features.map((feature) => `#${feature}`),
    columns: tokens.map((text) => ({ text })),
    cells,
    shade: { top, curve: "sqrt" },
    ends: ["off", "activation", top.toFixed(1)],
    title: "The strongest features at each token",
    chosen: row < 0 ? undefined : row * tokens.length + chosen.token,
  };
}

/** Draws what each token adds to a feature, by layer or head. */
export function flowPicture(
  { values, rows, axis }: FeatureFlow,
  tokens: readonly string[],
  target: number,
): GridPicture {
  const shown = tokens.slice(0, target + 1);
  const cells = Array.from({ length: rows * shown.length }, (_, place): GridCell => {
    const [row, source] = [Math.floor(place / shown.length), place % shown.length];
    const value = values[row * tokens.length + source]!;
    return {
      value,
      text: Math.abs(value) >= 0.05 ? signed(value) : "",
      says: `${axis} ${row}: ${labelText(shown[source]!)} adds ${signed(value)}`,
    };
  });
  const top = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  return {
    rows: Array.from({ length: rows }, (_, row) => `${axis} ${row}`),
    columns: shown.map((text) => ({ text })),
    cells,
    shade: { top, curve: "linear", diverges: true },
    ends: [signed(-top), "0", signed(top)],
    title: `What each token adds to the feature, by ${axis}`,
  };
}
