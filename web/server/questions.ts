import { bosOf, type PageState } from "../page_state.ts";
import type { RoutesQuestion } from "./routes.ts";

/** Where a matrix is, and which one of those that are there. */
export interface Place {
  readonly url: string;
  readonly panel: number;
  /** Where a matrix is that is taken from it. */
  readonly minus?: string;
}

/** What the page needs from the server to draw a state. */
export interface Questions {
  /** The matrix that is shown large. */
  readonly stage: Place;
  /** Those that are shown small: all layers as one, then each of them; or every head. */
  readonly panels: readonly string[];
}

/** The most rows and columns of a head's small picture. */
const SMALL = 48;

/** Which links answer a state. They are relative, so that they work behind any proxy. */
export function questionsOf(state: PageState): Questions {
  const { layer, view } = state;
  if (view === "routes") {
    const { target, threshold } = routesOf(state);
    const url = arrowPath("/routes.arrow", {
      ...askedOf(state),
      ...(target === undefined ? {} : { target }),
      threshold,
    });
    return { stage: { url, panel: 0 }, panels: [] };
  }
  if (view === "whatif") {
    const [result, whole] = [flowUrl(state, false, state.off), flowUrl(state, false)];
    const isChange = state.show === "change" && state.off !== "";
    return {
      stage: { url: result, panel: 0, ...(isChange ? { minus: whole } : {}) },
      panels: [attentionUrl(state, { cells: SMALL })],
    };
  }
  if (view === "heads") {
    const one = { layers: layer ?? 0, heads: state.head ?? 0 };
    return {
      stage: { url: attentionUrl(state, one), panel: 0 },
      panels: [attentionUrl(state, { cells: SMALL })],
    };
  }
  const whole = flowUrl(state, false);
  const byLayer = flowUrl(state, true);
  return {
    stage: layer === undefined ? { url: whole, panel: 0 } : { url: byLayer, panel: layer },
    panels: [whole, byLayer],
  };
}

/** Which routes a state shows: to the chosen token, counted from BOS. */
export function routesOf(state: PageState): RoutesQuestion {
  const { prompt, model, token, threshold } = state;
  const target = token === undefined ? undefined : token + (bosOf(state) === "DROP" ? 1 : 0);
  return { prompt, model, target, threshold: Number(threshold) };
}

function attentionUrl(state: PageState, choice: Record<string, number>): string {
  return arrowPath("/attention.arrow", {
    ...askedOf(state),
    bos: bosOf({ ...state, view: "heads" }),
    ...choice,
  });
}

function flowUrl(state: PageState, byLayer: boolean, off = ""): string {
  return arrowPath("/info-flow.arrow", {
    ...askedOf(state),
    byLayer,
    aggregation: state.aggregation,
    bos: bosOf(state),
    ...(state.method === "ATTENTION" ? {} : { method: state.method }),
    ...(off === "" ? {} : { ablate: off }),
  });
}

/** What every question says: of which prompt, and of which model where it is not the first. */
function askedOf({ prompt, model }: PageState): Record<string, string> {
  return { prompt, ...(model === undefined ? {} : { model }) };
}

function arrowPath(path: string, parameters: Record<string, string | number | boolean>): string {
  const pairs = Object.entries(parameters).map(([name, value]) =>
    `${name}=${encodeURIComponent(value)}`
  );
  return `${path}?${pairs.join("&")}`;
}
