const context = document.createElement("canvas").getContext("2d")!;

/** How wide a text is, in pixels. */
export function widthOf(text: string, font: string): number {
  context.font = font;
  return context.measureText(text).width;
}
