import { labelText } from "../draw/token_label.ts";
import { linksOf } from "../widgets/weights_of.ts";
import type { Exhibit } from "./exhibit.ts";
import { matrixExhibit, type ShownMatrix } from "./matrix_exhibit.ts";
import { type ColouredText, drawText } from "./text_drawing.ts";

/** A text whose tokens are coloured by what they give one of them, or take from it: of a matrix one row or column. */
export function textExhibit(
  shown: ShownMatrix & Pick<ColouredText, "position" | "direction">,
): Exhibit {
  const { matrix, position, direction, heading } = shown;
  const whole = matrixExhibit(shown);
  const isSources = direction === "sources";
  const token = labelText(matrix.tokens[position]!);
  const weights = linksOf(matrix, position, direction);
  return {
    ...whole,
    heading: {
      name: heading.name,
      note: `${isSources ? "what feeds" : "what takes from"} ${token}, position ${position}`,
    },
    python: `${whole.python}${isSources ? `[${position}]` : `[:, ${position}]`}`,
    matrix: undefined,
    drawing: (theme, width) => drawText({ ...shown, theme, width }),
    table: () => ({
      columns: ["position", "token", "weight"],
      rows: () => matrix.tokens.map((one, index) => [index, one, weights[index]!]),
    }),
  };
}
