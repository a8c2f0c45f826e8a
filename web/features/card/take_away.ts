import { html } from "../../draw/elements.ts";
import { csvFile, download } from "../../exhibits/download.ts";
import { siblingOf } from "../address.ts";
import type { AboutFeature, Card } from "../questions.ts";
import { standAlone } from "./stand_alone.ts";

const COPIED_SHOWS = 2000;

/** Buttons that take a feature's page away: as a page that stands alone, in JSON, CSV and Arrow, or as a link. */
export function takeAway(card: Card, about: AboutFeature): HTMLElement {
  const name = `feature-${about.sae.replaceAll("/", "-")}-${about.index}`;
  const button = (text: string, act: (button: HTMLElement) => void): HTMLElement => {
    const element = html("button", { type: "button" }, text);
    element.addEventListener("click", () => act(element));
    return element;
  };
  const said = html("span", { class: "unseen", role: "status" });
  const { model, sae, index } = about;
  const query = new URLSearchParams({
    sae,
    index: String(index),
    ...model !== undefined && { model },
  });
  return html(
    "p",
    { class: "take-away" },
    button("Copy link", async (element) => {
      await navigator.clipboard.writeText(location.href);
      element.textContent = "Copied";
      said.textContent = "Copied";
      setTimeout(() => {
        element.textContent = "Copy link";
        said.textContent = "";
      }, COPIED_SHOWS);
    }),
    button("HTML", () => download(standAlone(), `${name}.html`)),
    button("JSON", () => {
      const text = JSON.stringify(card, null, 1);
      download(new Blob([text], { type: "application/json" }), `${name}.json`);
    }),
    button("CSV", () => download(csvFile({ table: () => tableOf(card) }), `${name}.csv`)),
    html("a", { href: siblingOf(`feature.arrow?${query}`), class: "button" }, "Arrow"),
    said,
  );
}

/** A row for each token at which it is on, in each of its examples. */
function tableOf({ index, examples, groups }: Card): ReturnType<
  Parameters<typeof csvFile>[0]["table"]
> {
  return {
    columns: ["feature", "group", "text", "position", "token", "activation", "is_example"],
    rows: () =>
      [...examples, ...groups.flat()].flatMap(({ prompt, group, tokens, activations, position }) =>
        activations.flatMap((activation, at) =>
          activation === 0
            ? []
            : [[index, group, prompt, at, tokens[at]!, activation, at === position ? 1 : 0]]
        )
      ),
  };
}
