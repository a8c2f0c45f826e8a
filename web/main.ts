/**
 * The page. Its state is one value, kept in the link: the controls change it, `Page` has the view of that state ask the
 * server and draw what comes.
 *
 * @module
 */
import { ModelPicker } from "./controls/model.ts";
import { Options } from "./controls/options.ts";
import { Pace } from "./controls/pace.ts";
import { PromptBox } from "./controls/prompt.ts";
import { closeMenus } from "./controls/menus.ts";
import { Tabs } from "./controls/tabs.ts";
import { byId } from "./draw/elements.ts";
import { Exports } from "./exports.ts";
import { Page } from "./page.ts";
import { DEFAULT_STATE, type PageState, readState, writeState } from "./page_state.ts";
import { Stage } from "./stage.ts";
import { Status } from "./widgets/status.ts";
import { Tip } from "./widgets/tip.ts";

/** The browser refuses a page that changes its link much more often. */
const LINK_PAUSE = 200;
let state: PageState;
let typing: number | undefined;

const { token, layer, head, off } = DEFAULT_STATE;
const tabs = new Tabs(byId("views", HTMLElement), (view) => change({ view }));
const options = new Options({
  form: byId("options", HTMLFormElement),
  chips: byId("chips", HTMLElement),
  menu: byId("options-menu", HTMLDetailsElement),
}, change);
const promptBox = new PromptBox({
  box: byId("prompt", HTMLTextAreaElement),
  examples: byId("examples", HTMLElement),
}, {
  // Another prompt has other tokens: what was chosen of the old ones goes.
  type: (prompt) => {
    state = { ...state, prompt, token };
    pace.run();
    clearTimeout(typing);
    typing = setTimeout(() => history.replaceState(null, "", writeState(state) || "#"), LINK_PAUSE);
  },
  pick: (prompt) => change({ prompt, token }),
});
// Another model has other layers and heads.
const models = new ModelPicker((model) => change({ model, layer, head, off }));
const exports = new Exports();
const stage = new Stage();
const page = new Page({
  stage,
  tools: {
    change,
    preview: (heading) => stage.preview(heading),
    tip: new Tip(byId("tip", HTMLElement)),
    live: byId("live", HTMLElement),
  },
  status: new Status(byId("status", HTMLElement), byId("status-actions", HTMLElement)),
  count: byId("count", HTMLElement),
  showServer: (server, { model }) => models.show(server, model),
  offer: (exhibit) => exports.show(exhibit),
});

/** While the user types, pictures follow as fast as the server answers. */
const pace = new Pace(() => page.show(state));

function change(part: Partial<PageState>, step: "push" | "replace" = "push"): void {
  clearTimeout(typing);
  const next = { ...state, ...part };
  const link = writeState(next) || "#";
  if (step === "push" && link !== (location.hash || "#")) history.pushState(null, "", link);
  else history.replaceState(null, "", link);
  show(next);
}

function show(next: PageState, note = ""): void {
  state = next;
  promptBox.show(state.prompt);
  tabs.show(state.view);
  options.show(state);
  page.show(state, note);
}

function follow(): void {
  const { state: asked, broken } = readState(location.hash);
  const left = `Parts of the link could not be read and are left out: ${broken.join(", ")}.`;
  show(asked, broken.length > 0 ? left : "");
}

closeMenus();
addEventListener("popstate", follow);
follow();
