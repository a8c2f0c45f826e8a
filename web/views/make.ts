import type { ViewName } from "../page_state.ts";
import { FeaturesView } from "./features/view.ts";
import { FlowView } from "./flow/view.ts";
import { HeadsView } from "./heads/view.ts";
import { LensView } from "./lens/view.ts";
import { PatchingView } from "./patching/view.ts";
import { RoutesView } from "./routes/view.ts";
import type { Tools, View } from "./view.ts";
import { WhatIfView } from "./what_if/view.ts";

/** How each view is made, once it is first shown. */
export const MAKE: Readonly<Record<ViewName, (tools: Tools) => View>> = {
  flow: (tools) => new FlowView(tools, "heatmap"),
  text: (tools) => new FlowView(tools, "text"),
  heads: (tools) => new HeadsView(tools),
  features: (tools) => new FeaturesView(tools),
  routes: (tools) => new RoutesView(tools),
  whatif: (tools) => new WhatIfView(tools),
  patching: (tools) => new PatchingView(tools),
  lens: (tools) => new LensView(tools),
};
