import type { ViewCard } from "./card.ts";
import { FEATURES } from "./features/card.ts";
import { FLOW } from "./flow/card.ts";
import { HEADS } from "./heads/card.ts";
import { LENS } from "./lens/card.ts";
import { PATCHING } from "./patching/card.ts";
import { ROUTES } from "./routes/card.ts";
import { TEXT } from "./text/card.ts";
import { WHAT_IF } from "./what_if/card.ts";

/** The views of the page by their names in links, in the order of their tabs. */
export const VIEWS = {
  flow: FLOW,
  text: TEXT,
  heads: HEADS,
  routes: ROUTES,
  features: FEATURES,
  whatif: WHAT_IF,
  patching: PATCHING,
  lens: LENS,
} as const satisfies Record<string, ViewCard>;
