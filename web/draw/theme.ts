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
const ramps = {
  dark: { ramp: makeRamp(true), changeRamp: makeChangeRamp(true) },
  light: { ramp: makeRamp(false), changeRamp: makeChangeRamp(false) },
};

/** The colours that go with a shade. */
export function rampFor({ ramp, changeRamp }: Theme, { diverges }: Shade): Ramp {
  return diverges ? changeRamp : ramp;
}

/** Reads the colours that hold now. */
export function currentTheme(): Theme {
  return themeOf(dark.matches ? "dark" : "light");
}

/** The colours of paper, whatever the screen's are. */
export function lightTheme(): Theme {
  return themeOf("light");
}

function themeOf(mode: "dark" | "light"): Theme {
  const style = getComputedStyle(document.documentElement);
  const probe = (name: string): string => style.getPropertyValue(name).trim();
  return {
    isDark: mode === "dark",
    ...ramps[mode],
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
