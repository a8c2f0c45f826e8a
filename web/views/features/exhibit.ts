import { type BarsPicture, drawBars } from "../../draw/bars_svg.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import type { Asked } from "../view.ts";
import { featuresCall, type SaeCard } from "./question.ts";
import type { Section } from "./strongest.ts";

/**
 * The strongest features at each token as they leave the page: of all autoencoders that are shown as a picture and as a
 * table, of the chosen one by the API, which is asked for one at a time.
 */
export function featuresExhibit(
  known: Asked,
  { sae, sections, picture, first }: {
    readonly sae: SaeCard;
    readonly sections: readonly Section[];
    readonly picture: BarsPicture;
    readonly first: number;
  },
): Exhibit {
  const { state: { prompt, model }, spans } = known;
  return {
    known,
    heading: { name: "Features", note: `${sae.name}, ${sae.hook}` },
    call: featuresCall(prompt, model, sae.name),
    python: ".to_pandas()",
    drawing: (theme, width) => drawBars(picture, theme, { width }),
    table: () => ({
      columns: ["sae", "position", "token", "feature", "activation"],
      rows: () =>
        sections.flatMap((section) =>
          section.active.map(({ position, feature, activation }) => [
            section.sae.name,
            position + first,
            spans[position]!.text,
            feature,
            activation,
          ])
        ),
    }),
  };
}
