import type { Call, Word } from "../calls/call.ts";
import type { Shade } from "../draw/shade.ts";
import { FLOW_METHODS, type Method } from "../../src/requests/flow_methods.ts";
import type { Matrix } from "../server/matrix.ts";
import type { Heading, Known } from "./known.ts";
import type { Exhibit, Table } from "./exhibit.ts";
import { drawHeatmap, isImage } from "./heatmap_drawing.ts";

/** What there is to say of a matrix that is shown. */
export interface ShownMatrix {
  readonly known: Known;
  readonly heading: Heading;
  /** What gives this matrix, and it alone. */
  readonly call: Call;
  readonly matrix: Matrix;
  readonly shade: Shade;
}

/** A matrix of targets and sources as it leaves the page. */
export function matrixExhibit({ known, heading, call, matrix, shade }: ShownMatrix): Exhibit {
  const axes = call.field === "attention" ? "[0, 0]" : call.args["byLayer"] ? "[0]" : "";
  return {
    known,
    heading,
    method: call.field === "infoFlow" ? FLOW_METHODS[methodOf(call)].name : undefined,
    call,
    python: `.values${axes}`,
    matrix: isImage(matrix) ? matrix : undefined,
    drawing: (theme, width) => drawHeatmap({ matrix, shade, theme, width }),
    table: () => tableOf(matrix),
  };
}

function methodOf({ args: { method } }: Call): Method {
  return (method as Word | undefined)?.word as Method | undefined ?? "ATTENTION";
}

/** A row for each target and source that can feed it. */
function tableOf({ tokens, values, positions }: Matrix): Table {
  return {
    columns: ["target", "target_token", "source", "source_token", "weight"],
    *rows() {
      for (let target = 0; target < positions; target++) {
        for (let source = 0; source <= target; source++) {
          const weight = values[target * positions + source]!;
          yield [target, tokens[target]!, source, tokens[source]!, weight] as const;
        }
      }
    },
  };
}
