import { makeChangeRamp, makeRamp, type Ramp } from "./ramp.ts";
import type { Shade } from "./shade.ts";

/** The colours of the page, as its stylesheet has them; SVG that leaves the page must bring them along. */
export interface Theme {
  readonly isDark: boolean;
  /** For weights. */
  readonly ramp: Ramp;
  /** For differences of weights. */
  readonly changeRamp: Ramp;
  readonly ink: string;
  readonly muted: string;
  readonly faint: string;
  readonly paper: string;
  readonly font: string;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
/** Made when they are first drawn with. */
const ramps = new Map<string, Ramp>();

function rampOf(kind: "ramp" | "changeRamp", isDark: boolean): Ramp {
  const key = `${kind} ${isDark}`;
  const known = ramps.get(key) ?? (kind === "ramp" ? makeRamp(isDark) : makeChangeRamp(isDark));
  ramps.set(key, known);
  return known;
}

/** The colours that go with a shade. */
export function rampFor({ ramp, changeRamp }: Theme, { diverges }: Shade): Ramp {
  return diverges ? changeRamp : ramp;
}

/** Reads the colours that hold now. */
export function currentTheme(): Theme {
  return themeOf(dark.matches ? "dark" : "light");
}

/** The colours of a light page, even if the screen is dark. */
export function lightTheme(): Theme {
  return themeOf("light");
}

function themeOf(mode: "dark" | "light"): Theme {
  const style = getComputedStyle(document.documentElement);
  const probe = (name: string): string => style.getPropertyValue(name).trim();
  return {
    isDark: mode === "dark",
    get ramp() {
      return rampOf("ramp", mode === "dark");
    },
    get changeRamp() {
      return rampOf("changeRamp", mode === "dark");
    },
    ink: probe(`--ink-${mode}`),
    muted: probe(`--muted-${mode}`),
    faint: probe(`--faint-${mode}`),
    paper: probe(`--paper-${mode}`),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** Calls back when the colours change. */
export function onThemeChange(change: () => void): void {
  dark.addEventListener("change", change);
}
