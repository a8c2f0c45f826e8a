import { type Call } from "../../calls/call.ts";
import { html } from "../../draw/elements.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import { bosOf, type PageState, withoutBos } from "../../page_state.ts";
import { forecastOf } from "../../server/forecast.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { strongestRoutes } from "../../../src/requests/strongest_routes.ts";
import { drawRouteDetails, RoutesGraph, type RoutesPicture } from "./graph.ts";
import { type RoutesArguments, routesOf } from "./question.ts";
import { drawRoutes } from "./routes_svg.ts";

/** How many edges are shown by default, and the most. */
const EDGES = 40;
const MOST = 300;

/** What carries the prediction at one token, from the bottom up. */
export class RoutesView implements View {
  readonly slots: Slots;
  readonly #graph: RoutesGraph;
  readonly #details = html("div", { id: "details" });
  readonly #forecast = new ForecastPanel();
  readonly #slider = html("input", { type: "range", id: "edges", min: 5, step: 5 });
  readonly #count = html("span");
  #first = 1;

  constructor(tools: Tools) {
    const element = html("div", { class: "routes", id: "routes" });
    this.#graph = new RoutesGraph(element, tools.tip, {
      head: (layer, head) => tools.change({ view: "heads", layer, head, token: undefined }),
      target: (position) => {
        if (position >= this.#first) tools.change({ token: position - this.#first });
      },
    });
    this.#slider.addEventListener(
      "input",
      () => tools.change({ edges: Number(this.#slider.value) }, "replace"),
    );
    const slider = html("label", { class: "slider" }, this.#count, this.#slider);
    this.slots = { stage: [element, slider], side: [this.#details, this.#forecast.element] };
  }

  says(): string {
    return "Followed from the chosen token down, along every head, MLP and residual stream " +
      "that adds at least the threshold to what it writes into (Ferrando & Voita 2024). Many small " +
      "contributions below it are not shown, however much they are together.";
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading: { tokens, model }, theme, ask, keep, present } = asked;
    const args = argumentsOf(state);
    const question = ask(routesOf(args));
    keep(forecastOf(state));
    const edges = state.edges ?? EDGES;
    const all = await question;
    const routes = strongestRoutes(all, edges);
    const picture = {
      routes,
      tokens: tokens.map(({ text }) => text),
      layers: model.layers,
      theme,
    };
    present(exhibitOf(asked, { ...args, strongest: edges }, picture), () => {
      this.#slider.max = String(Math.max(EDGES, Math.min(MOST, all.edges.length)));
      this.#slider.value = String(edges);
      this.#count.textContent =
        `${routes.edges.length} of ${all.edges.length} edges, those that carry most`;

      this.#first = bosOf(state) === "DROP" ? 1 : 0;
      this.#forecast.clearFor(asked);
      this.#graph.show(picture);
      drawRouteDetails(this.#details, picture, (edge) => this.#graph.light(edge));
    });
  }

  afterwards(asked: Asked): Promise<void> {
    return this.#forecast.show(asked);
  }
}

/** Routes count positions from BOS, the state from the first token that is shown. */
function argumentsOf(state: PageState): RoutesArguments {
  const { prompt, model, token, threshold } = state;
  const target = token === undefined ? undefined : token + (bosOf(state) === "DROP" ? 1 : 0);
  return { prompt, model, bos: withoutBos(state), target, threshold: Number(threshold) };
}

function exhibitOf(
  known: Asked,
  args: RoutesArguments & { readonly strongest: number },
  picture: RoutesPicture,
): Exhibit {
  const call: Call = {
    field: "routes",
    args: { ...args, bos: args.bos && { word: args.bos } },
    selects: "target edges { layer kind head source target weight } url",
  };
  const { routes: { edges }, tokens } = picture;
  return {
    known,
    heading: { name: "Routes", note: "what carries the prediction here, from the bottom up" },
    call,
    python: ".to_pandas()",
    drawing: (theme, width) => drawRoutes({ ...picture, theme, width }),
    table: () => ({
      columns: [
        "layer",
        "kind",
        "head",
        "source",
        "source_token",
        "target",
        "target_token",
        "weight",
      ],
      rows: () =>
        edges.map(({ layer, kind, head, source, target, weight }) => [
          layer,
          kind,
          head,
          source,
          tokens[source]!,
          target,
          tokens[target]!,
          weight,
        ]),
    }),
  };
}
