import type { BarSection, BarsPicture } from "../../draw/bars_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import { type ActiveFeature, MOST, type SaeCard } from "./question.ts";

/** An autoencoder, and the strongest of its features at each token; positions count from the first token shown. */
export interface Section {
  readonly sae: SaeCard;
  readonly active: readonly ActiveFeature[];
}

/** Autoencoders that are shown at once. */
const MOST_SAES = 4;
/** Features that they may have together: as many of GPT-2 small's width are on the device with the default budget. */
const MOST_FEATURES = 150_000;

/** Where hooks stand within a layer. */
const SITES = [
  "RESID_PRE",
  "Z",
  "ATTN_OUT",
  "RESID_MID",
  "LN2_NORMALIZED",
  "MLP_OUT",
  "RESID_POST",
];

/** The autoencoders that are shown with one: those of the nearest layers, in the order of the computation. */
export function shownWith(saes: readonly SaeCard[], chosen: SaeCard): SaeCard[] {
  const away = ({ layer }: SaeCard): number => Math.abs(layer - chosen.layer);
  const others = saes.filter((it) => it !== chosen).sort((a, b) => away(a) - away(b));
  const shown = [chosen];
  let features = chosen.features;
  for (const sae of others) {
    features += sae.features;
    if (shown.length === MOST_SAES || features > MOST_FEATURES) break;
    shown.push(sae);
  }
  return shown.sort((a, b) =>
    a.layer - b.layer || SITES.indexOf(a.site) - SITES.indexOf(b.site) ||
    a.name.localeCompare(b.name)
  );
}

/** What a bar stands for. */
export interface BarPlace {
  readonly sae: SaeCard;
  readonly feature: number;
  readonly token: number;
}

/** The bars of every token, a section for each autoencoder, and what each of them stands for. */
export function barsOf(
  sections: readonly Section[],
  { tokens, chosen }: { readonly tokens: readonly string[]; readonly chosen: BarPlace },
): { readonly picture: BarsPicture; readonly places: ReadonlyMap<number, BarPlace> } {
  const places = new Map<number, BarPlace>();
  const cells: BarsPicture["cells"][number][] = [];
  let chosenPlace: number | undefined;
  const drawn = sections.map(({ sae, active }): BarSection => {
    const byToken = Map.groupBy(active, ({ position }) => position);
    const most = Math.max(1, ...byToken.values().map(({ length }) => length));
    const count = Math.min(MOST, most);
    for (let rank = 0; rank < count; rank++) {
      for (const [token, text] of tokens.entries()) {
        const it = byToken.get(token)?.[rank];
        const place = cells.length;
        if (!it) {
          cells.push(undefined);
          continue;
        }
        const { feature, activation, label } = it;
        const isChosen = sae.name === chosen.sae.name && feature === chosen.feature;
        if (isChosen && token === chosen.token) chosenPlace = place;
        places.set(place, { sae, feature, token });
        cells.push({
          value: activation,
          name: `#${feature}`,
          isChosen,
          says: `Feature ${feature}${label ? ` (${label})` : ""} of ${sae.name} at ${
            labelText(text)
          }: ${activation.toFixed(2)}`,
        });
      }
    }
    const top = active.reduce((largest, { activation }) => Math.max(largest, activation), 0) || 1;
    return { names: [`layer ${sae.layer}`, sae.name], top, places: count };
  });
  const features = Math.max(...sections.map(({ sae }) => sae.features));
  return {
    places,
    picture: {
      columns: tokens,
      sections: drawn,
      cells,
      longest: `#${features - 1}`,
      title: "The strongest features at each token, by layer",
      chosen: chosenPlace,
      column: chosen.token,
    },
  };
}
