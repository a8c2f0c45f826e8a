import { html } from "../../draw/elements.ts";
import { activationOf, share } from "../../draw/format.ts";
import type { Question } from "../../server/answers.ts";
import { Failure } from "../../server/failure.ts";
import { askGraphQL } from "../../server/graphql.ts";
import { tokenOf } from "../../widgets/details.ts";
import { readLinkState, writeLinkState } from "../link_state.ts";
import type { AboutFeature } from "../questions.ts";
import { linkToView } from "./examples.ts";
import { Passage, type PassageTools } from "./passage.ts";

const STATE = { try: "" } as const;
const WAIT = 250;

/** What a feature does in a text. */
interface Tried {
  /** BOS first. */
  readonly tokens: readonly string[];
  readonly activations: readonly {
    readonly position: number;
    readonly activation: number;
    readonly quantile: number | null;
  }[];
}

/** A box for a text of the user's own, and the feature's activations in it. */
export class TryIt {
  readonly element: HTMLElement;
  readonly #box = html("textarea", { id: "try", rows: 1, dir: "auto", spellcheck: "false" });
  readonly #says = html("p", { class: "note", role: "status" });
  readonly #open = html("a", { hidden: "" }, "Open in the Features view");
  readonly #passage: Passage;
  readonly #tools: PassageTools;
  #run = 0;

  constructor(tools: PassageTools) {
    this.#tools = tools;
    this.#passage = new Passage(tools, this.#open);
    this.#passage.element.hidden = true;
    this.#box.value = readLinkState(STATE).try;
    let typing: number | undefined;
    this.#box.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        writeLinkState({ try: this.#box.value }, STATE);
        this.#try();
      }, WAIT);
    });
    this.element = html(
      "section",
      { class: "try", "aria-labelledby": "try-title" },
      html(
        "h3",
        { id: "try-title" },
        html("label", { for: "try" }, "Try it on a sentence of your own"),
      ),
      this.#box,
      this.#passage.element,
      this.#says,
    );
    this.#try();
  }

  /** Draws it again, as in other colours. */
  redraw(): void {
    this.#passage.redraw();
  }

  async #try(): Promise<void> {
    const run = ++this.#run;
    const prompt = this.#box.value;
    const { element } = this.#passage;
    if (prompt === "") {
      element.hidden = true;
      this.#says.textContent = "";
      return;
    }
    let tried: Tried;
    try {
      tried = await this.#tools.asker.ask(triedIn(prompt, this.#tools.about));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      element.hidden = true; // the page's status says why
      return;
    }
    if (run !== this.#run) return;
    const activations = tried.tokens.map(() => 0);
    for (const { position, activation } of tried.activations) activations[position] = activation;
    const best = tried.activations.toSorted((a, b) => b.activation - a.activation)[0];
    element.hidden = false;
    this.#passage.show({
      source: { prompt },
      tokens: tried.tokens,
      activations,
      position: best?.position,
    });
    this.#open.hidden = best === undefined;
    if (!best) return this.#says.replaceChildren("It is off at every token.");
    const { position, activation, quantile } = best;
    this.#open.href = linkToView(this.#tools.about, { text: prompt, position })!;
    this.#says.replaceChildren(
      "Largest at ",
      tokenOf(tried.tokens[position]!),
      `: ${activationOf(activation)}${
        quantile === null ? "." : `, more than ${share(quantile)} of its activations in the corpus.`
      }`,
    );
  }
}

function triedIn(prompt: string, { model, sae, index }: AboutFeature): Question<Tried> {
  return {
    key: `tried ${JSON.stringify([prompt, model, sae, index])}`,
    fetch: async (signal) => {
      const query = `query Try($prompt: String!, $model: String, $sae: String!, $features: [Int!]) {
        features(prompt: $prompt, model: $model, sae: $sae, features: $features) {
          tokens { text } activations { position activation quantile }
        }
      }`;
      type Data = { features: Omit<Tried, "tokens"> & { tokens: { text: string }[] } };
      const variables = { prompt, model, sae, features: [index] };
      const { features } = await askGraphQL<Data>(query, variables, signal);
      return {
        tokens: features.tokens.map(({ text }) => text),
        activations: features.activations,
      };
    },
  };
}
