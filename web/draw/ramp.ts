// @ts-types="@types/d3-color"
import { hcl, lab, type RGBColor } from "d3-color";

/** How many colours a ramp has. */
export const STEPS = 256;

/** Colours from the weight 0 to the largest, each as far from the one before it as the eye can tell. */
export interface Ramp {
  readonly colours: readonly RGBColor[];
  /** The same as bytes of an `ImageData`, opaque. */
  readonly pixels: Uint32Array;
}

/** From paper to plum, by way of orange and crimson; in the dark the other way round, so that 0 is next to nothing. */
export function makeRamp(isDark: boolean): Ramp {
  const fine = Array.from({ length: 4 * STEPS }, (_, i) => along(i / (4 * STEPS - 1)));
  const colours = evenly(fine);
  return rampOf(isDark ? colours.toReversed() : colours);
}

/** From teal for less, by way of paper, to crimson for more. */
export function makeChangeRamp(isDark: boolean): Ramp {
  return rampOf(Array.from({ length: STEPS }, (_, step) => {
    const share = Math.abs(2 * step / (STEPS - 1) - 1);
    const hue = step < STEPS / 2 ? 210 : 10;
    const lightness = isDark ? 17 + 56 * share : 96 - 54 * share;
    return hcl(hue, 3 + (hue === 10 ? 55 : 29) * share, lightness).rgb().clamp();
  }));
}

function rampOf(colours: readonly RGBColor[]): Ramp {
  return { colours, pixels: Uint32Array.from(colours, ({ r, g, b }) => pixel(r, g, b)) };
}

/** Lightness falls steadily, the hue turns, the chroma swells and ebbs; all of it can be shown in sRGB. */
function along(t: number): RGBColor {
  const lightness = 96 - 81 * t;
  const hue = 70 - 125 * t;
  const chroma = 6 + 16 * t + 48 * Math.sin(Math.PI * t) ** 1.2;
  return hcl(hue, chroma, lightness).rgb();
}

/** Chooses colours at even distances in CIELAB. */
function evenly(fine: readonly RGBColor[]): RGBColor[] {
  const lengths = [0];
  for (let i = 1; i < fine.length; i++) {
    lengths.push(lengths[i - 1]! + distance(fine[i - 1]!, fine[i]!));
  }
  let at = 0;
  return Array.from({ length: STEPS }, (_, step) => {
    const wanted = lengths.at(-1)! * step / (STEPS - 1);
    while (at < fine.length - 1 && lengths[at + 1]! <= wanted) at++;
    return fine[at]!;
  });
}

/** How different two colours look (CIE 1976). */
export function distance(one: RGBColor, other: RGBColor): number {
  const a = lab(one);
  const b = lab(other);
  return Math.hypot(a.l - b.l, a.a - b.a, a.b - b.b);
}

function pixel(r: number, g: number, b: number): number {
  const bytes = Uint8Array.of(Math.round(r), Math.round(g), Math.round(b), 255);
  return new Uint32Array(bytes.buffer)[0]!;
}
