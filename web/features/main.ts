/**
 * The page of features over a corpus: an autoencoder's list of features, or one feature. The page's address,
 * `/features/SAE/INDEX`, decides which.
 *
 * @module
 */
import { baseName } from "../controls/model.ts";
import { byId, html } from "../draw/elements.ts";
import { addressOf, readAddress } from "./address.ts";
import { Asker } from "./asker.ts";
import { CardPage } from "./card/card_page.ts";
import { ListPage } from "./list/list_page.ts";
import { saesOf } from "./questions.ts";

const main = byId("main", HTMLElement);
const address = readAddress(location);
const asker = new Asker(byId("status", HTMLElement));

const { models, saes } = await asker.ask(saesOf(address.model));
const sae = address.sae === undefined ? saes[0] : saes.find(({ name }) => name === address.sae);
const model = address.model;
byId("list", HTMLAnchorElement).href = addressOf({ model, sae: sae?.name, index: undefined });

if (!sae) {
  byId("status", HTMLElement).textContent = saes.length === 0
    ? "This model is served without sparse autoencoders: start the server with --sae."
    : `There is no autoencoder ${address.sae} here. There are: ${
      saes.map(({ name }) => name).join(", ")
    }.`;
} else {
  const go = (part: Partial<typeof address>): void => {
    location.href = addressOf({ model, sae: sae.name, index: undefined, ...part });
  };
  const picker = pick(
    "Autoencoder",
    saes.map(({ name, hook, features }) => {
      return { value: name, text: `${name}: ${features.toLocaleString("en")} features of ${hook}` };
    }),
    sae.name,
  );
  picker.addEventListener("change", () => go({ sae: picker.value }));
  const pickers = [picker];
  if (models.length > 1) {
    const values = models.map((name) => ({ value: name, text: baseName(name) }));
    const other = pick("Model", values, model ?? models[0]!);
    other.addEventListener("change", () => go({ model: other.value, sae: undefined }));
    pickers.unshift(other);
  }
  main.append(html("p", { class: "pickers" }, ...pickers));
  if (address.index === undefined) new ListPage(main, { asker, model, sae });
  else new CardPage(main, { asker, model, sae, index: address.index });
}

function pick(
  name: string,
  options: readonly { readonly value: string; readonly text: string }[],
  chosen: string,
): HTMLSelectElement {
  const select = html(
    "select",
    { "aria-label": name },
    ...options.map(({ value, text }) => html("option", { value }, text)),
  );
  select.value = chosen;
  return select;
}
