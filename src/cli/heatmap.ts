import styles from "ansi-styles";
// @ts-types="@types/d3-scale-chromatic"
import { interpolateViridis } from "d3-scale-chromatic";
import stringWidth from "string-width";

/** The colours that a terminal has. */
export type Colours = "truecolor" | "256" | "none";

/** What to draw, and on how much room. */
export interface HeatmapOptions {
  /** The labels of both axes. */
  readonly labels: readonly string[];
  /** Columns of the terminal. */
  readonly columns: number;
  readonly colours: Colours;
}

const LABEL_WIDTH = 14;
const LABEL_HEIGHT = 8;

/**
 * Draws a (P, P) matrix for a terminal: targets down, sources across, the first token at the top left. A cell's colour
 * is the square root of its weight, from 0 to 1; without colours a cell is its weight in percent. Where the matrix is
 * wider than the terminal, neighbouring tokens share a cell.
 */
export function drawHeatmap(matrix: Float32Array, options: HeatmapOptions): string {
  const { colours, columns } = options;
  const cellWidth = colours === "none" ? 3 : 2;
  const room = Math.max(1, Math.floor((columns - LABEL_WIDTH - 1) / cellWidth));
  const step = Math.ceil(options.labels.length / room);
  const { cells, labels } = step === 1
    ? { cells: matrix, labels: options.labels }
    : merge(matrix, options.labels, step);
  const size = labels.length;
  const names = labels.map(readable);

  const lines = header(names, cellWidth);
  for (let target = 0; target < size; target++) {
    const row = Array.from(cells.subarray(target * size, (target + 1) * size));
    // What comes later is not 0, it is nothing.
    const drawn = row.map((weight, source) =>
      source > target ? " ".repeat(cellWidth) : cell(weight, colours)
    );
    lines.push(`${fit(names[target]!, LABEL_WIDTH)} ${drawn.join("").trimEnd()}`);
  }
  return lines.join("\n");
}

/** The scale, for under the heatmaps. */
export function drawLegend(colours: Colours): string {
  if (colours === "none") {
    return "percent of what each target (row) takes from each source (column)";
  }
  const steps = Array.from({ length: 21 }, (_, i) => paint((i / 20) ** 2, " ", colours));
  return `0 ${
    steps.join("")
  } 1, square root: what each target (row) takes from each source (column)`;
}

function cell(weight: number, colours: Colours): string {
  return colours === "none"
    ? Math.round(100 * weight).toString().padStart(3)
    : paint(weight, "  ", colours);
}

function paint(weight: number, text: string, colours: Colours): string {
  const hex = interpolateViridis(Math.sqrt(weight));
  const rgb = styles.hexToRgb(hex);
  const { bgColor } = styles;
  const on = colours === "truecolor"
    ? bgColor.ansi16m(...rgb)
    : bgColor.ansi256(styles.rgbToAnsi256(...rgb));
  return `${on}${text}${bgColor.close}`;
}

/** Adds up the sources of a group of tokens, and takes the mean over its targets: rows still sum to 1. */
function merge(
  matrix: Float32Array,
  labels: readonly string[],
  step: number,
): { cells: Float32Array; labels: string[] } {
  const tokens = labels.length;
  const size = Math.ceil(tokens / step);
  const cells = new Float32Array(size * size);
  for (let target = 0; target < tokens; target++) {
    const row = Math.floor(target / step);
    const share = 1 / Math.min(step, tokens - row * step);
    for (let source = 0; source <= target; source++) {
      const at = row * size + Math.floor(source / step);
      cells[at] = cells[at]! + share * matrix[target * tokens + source]!;
    }
  }
  const firsts = labels.filter((_, index) => index % step === 0);
  return { cells, labels: firsts.map((label) => `${label}…`) };
}

/** Source labels from top to bottom, as there is no room beside each other. */
function header(names: readonly string[], cellWidth: number): string[] {
  const letters = names.map((name) => Array.from(graphemes(name)).slice(0, LABEL_HEIGHT));
  const height = Math.max(...letters.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => {
    const row = letters.map((name) => {
      const letter = name[line - (height - name.length)] ?? "";
      return " ".repeat(cellWidth - stringWidth(letter)) + letter;
    });
    return `${" ".repeat(LABEL_WIDTH)} ${row.join("")}`.trimEnd();
  });
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

function* graphemes(text: string): Generator<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** Right-aligned in `width` columns, cut where it is longer. */
function fit(text: string, width: number): string {
  let fitted = "";
  for (const letter of graphemes(text)) {
    if (stringWidth(fitted + letter) > width) break;
    fitted += letter;
  }
  return " ".repeat(width - stringWidth(fitted)) + fitted;
}

/** Shows what a terminal would not: spaces, line breaks, and what would command it or turn its text around. */
function readable(label: string): string {
  return label.replaceAll(" ", "␣").replaceAll("\n", "⏎").replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
