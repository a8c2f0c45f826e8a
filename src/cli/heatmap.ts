import styles from "ansi-styles";
import { colourAt } from "../palette.ts";
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
  /** The weight of the last colour; 1 where it is not given. */
  readonly top?: number | undefined;
  /** Whether coloured cells have their numbers in them. */
  readonly hasNumbers?: boolean | undefined;
}

/** How many columns a heatmap takes for a number of tokens, if it has room. */
export function columnsOf(tokens: number, options: Look): number {
  return LABEL_WIDTH + 1 + tokens * widthOf(options);
}

type Look = Pick<HeatmapOptions, "colours" | "hasNumbers">;

function widthOf({ colours, hasNumbers }: Look): number {
  return colours === "none" ? 3 : hasNumbers ? 4 : 2;
}

const LABEL_WIDTH = 14;
const LABEL_HEIGHT = 8;

/**
 * Draws a (P, P) matrix for a terminal: targets down, sources across, the first token at the top left. A cell's colour
 * is the square root of its weight, from 0 to the top; without colours a cell is its weight in percent. Where the matrix is
 * wider than the terminal, neighbouring tokens share a cell.
 */
export function drawHeatmap(matrix: Float32Array, options: HeatmapOptions): string {
  const { columns } = options;
  const cellWidth = widthOf(options);
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
    // Later sources have no cell: they are not 0, they don't exist.
    const drawn = row.map((weight, source) =>
      source > target ? " ".repeat(cellWidth) : cell(weight, options)
    );
    lines.push(`${fit(names[target]!, LABEL_WIDTH)} ${drawn.join("").trimEnd()}`);
  }
  return lines.join("\n");
}

/** The scale, for under the heatmaps. */
export function drawLegend({ colours, top = 1 }: Pick<HeatmapOptions, "colours" | "top">): string {
  if (colours === "none") {
    return "percent of what each target (row) takes from each source (column)";
  }
  const steps = Array.from({ length: 21 }, (_, i) => paint((i / 20) ** 2, " ", colours));
  const end = `${top < 1 ? "≥ " : ""}${Number((100 * top).toPrecision(2))}%`;
  return `0 ${
    steps.join("")
  } ${end}, square root: what each target (row) takes from each source (column)`;
}

/** Rows with fewer sources have large weights whatever the prompt; if there are others, they don't set the scale. */
const FEW_SOURCES = 4;

/** The largest weight of (P, P) matrices, without their first rows. */
export function topOf(matrices: Float32Array, tokens: number): number {
  let top = 0;
  const first = tokens > 2 * FEW_SOURCES ? FEW_SOURCES : 0;
  for (let row = 0; row < matrices.length / tokens; row++) {
    if (row % tokens < first) continue;
    for (const weight of matrices.subarray(row * tokens, (row + 1) * tokens)) {
      top = Math.max(top, Math.abs(weight));
    }
  }
  return top || 1;
}

function cell(weight: number, { colours, top = 1, hasNumbers }: HeatmapOptions): string {
  const percent = Math.round(100 * weight).toString();
  return colours === "none"
    ? percent.padStart(3)
    : paint(Math.abs(weight) / top, hasNumbers ? `${percent.padStart(3)} ` : "  ", colours);
}

/** The palette in reverse: on a dark terminal, small weights are dark. */
function paint(share: number, text: string, colours: Colours): string {
  const light = Math.sqrt(Math.min(1, share));
  const rgb = colourAt(1 - light);
  const { bgColor, color } = styles;
  const is24Bit = colours === "truecolor";
  const on = is24Bit ? bgColor.ansi16m(...rgb) : bgColor.ansi256(styles.rgbToAnsi256(...rgb));
  if (text.trim() === "") return `${on}${text}${bgColor.close}`;
  const ink: [number, number, number] = light > 0.45 ? [0, 0, 0] : [255, 255, 255];
  const front = is24Bit ? color.ansi16m(...ink) : color.ansi256(styles.rgbToAnsi256(...ink));
  return `${on}${front}${text}${color.close}${bgColor.close}`;
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

/** Makes characters visible that a terminal would hide or obey: spaces, line breaks, controls, changes of direction. */
function readable(label: string): string {
  return label.replaceAll(" ", "␣").replaceAll("\n", "⏎").replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}
