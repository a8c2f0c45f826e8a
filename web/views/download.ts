import type { Matrix } from "../server/matrix.ts";

/** Hands a file to whoever sits before the page. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A drawing as an SVG file. */
export function svgFile(drawing: SVGSVGElement): Blob {
  return new Blob([new XMLSerializer().serializeToString(drawing)], { type: "image/svg+xml" });
}

/** Twice as fine as on the screen, for slides and paper. */
const FINENESS = 2;

/** A drawing as a PNG file. */
export async function pngFile(drawing: SVGSVGElement): Promise<Blob> {
  const { width, height } = drawing.viewBox.baseVal;
  const url = URL.createObjectURL(svgFile(drawing));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(FINENESS * width);
    canvas.height = Math.round(FINENESS * height);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => blob ? resolve(blob) : reject(new Error("Cannot draw the PNG")));
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A matrix as CSV: a line for each target and source that can feed it. */
export function csvFile({ tokens, values, positions }: Matrix): Blob {
  const quoted = tokens.map((token) => `"${token.replaceAll('"', '""')}"`);
  const parts = ["target,target_token,source,source_token,weight\r\n"];
  for (let target = 0; target < positions; target++) {
    let lines = "";
    for (let source = 0; source <= target; source++) {
      const weight = values[target * positions + source]!;
      lines += `${target},${quoted[target]},${source},${quoted[source]},${weight}\r\n`;
    }
    parts.push(lines);
  }
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}
