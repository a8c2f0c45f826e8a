/**
 * The page. Its state is one value, kept in the link: the controls change it, `Page` gets what it needs from the
 * server, `Picture` draws that.
 *
 * @module
 */
import { Controls } from "./controls.ts";
import { byId } from "./draw/elements.ts";
import { Exports } from "./exports.ts";
import { Page } from "./page.ts";
import { type PageState, readState, writeState } from "./page_state.ts";
import { graphiqlUrl } from "./server/snippets.ts";
import { Picture } from "./views/picture.ts";
import { say } from "./views/status.ts";
import { Tip } from "./views/tip.ts";

const element = (id: string): HTMLElement => byId(id, HTMLElement);
const status = element("status");

const picture = new Picture({
  picture: element("picture"),
  title: element("title"),
  heatmap: element("heatmap"),
  text: element("text"),
  panels: element("panels"),
  panelsTitle: element("panels-title"),
  details: element("details"),
  forecast: element("forecast"),
  routes: element("routes"),
  live: element("live"),
  tip: new Tip(element("tip")),
}, (chosen) => change(chosen, "push"));
const controls = new Controls(change);
const page = new Page({
  picture,
  status,
  count: element("count"),
  showServer: (server, shown) => controls.showServer(server, shown),
});
const exports = new Exports(picture, (message) => say(status, "note", message));

let state: PageState;

function change(part: Partial<PageState>, step: "push" | "replace"): void {
  const next = { ...state, ...part };
  const link = writeState(next) || "#";
  if (step === "push" && link !== (location.hash || "#")) history.pushState(null, "", link);
  else history.replaceState(null, "", link);
  show(next);
}

function show(next: PageState, note = ""): void {
  state = next;
  controls.show(state);
  exports.show(state);
  byId("graphiql", HTMLAnchorElement).href = graphiqlUrl(state);
  page.show(state, note);
}

function follow(): void {
  const { state: asked, broken } = readState(location.hash);
  const left = `Some of the link could not be read and is left out: ${broken.join(", ")}.`;
  show(asked, broken.length > 0 ? left : "");
}

addEventListener("popstate", follow);
follow();
