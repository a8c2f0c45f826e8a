import type { Exhibit } from "./exhibit.ts";

/** Offers a file to the user as a download. */
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

/** Three times as fine as it is large: good for print. */
const FINENESS = 3;

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

const AT_ONCE = 4096;

/** The numbers as CSV (RFC 4180). */
export function csvFile({ table }: Pick<Exhibit, "table">): Blob {
  const { columns, rows } = table();
  const parts = [`${columns.join(",")}\r\n`];
  let lines: string[] = [];
  for (const row of rows()) {
    lines.push(`${row.map(field).join(",")}\r\n`);
    if (lines.length === AT_ONCE) {
      parts.push(lines.join(""));
      lines = [];
    }
  }
  return new Blob([...parts, lines.join("")], { type: "text/csv;charset=utf-8" });
}

function field(value: string | number | null): string {
  if (value === null) return "";
  return typeof value === "number" ? String(value) : `"${value.replaceAll('"', '""')}"`;
}
