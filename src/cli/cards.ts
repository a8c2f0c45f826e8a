import listCards from "./list_cards.sh" with { type: "text" };
import type { PciCard } from "../engine/gpu/find_adapter.ts";

/** The variable that tells the server which graphics cards there are: it may not look itself. */
export const CARDS_VARIABLE = "INFOFLOW_CARDS";

/** Shell commands that list this machine's graphics cards in the variable, on Linux. */
export const LIST_CARDS: string = listCards;

/** The cards that the variable has, such as `0000:01:00.0=0x10de:0x2330`. */
export function cardsIn(text = ""): PciCard[] {
  return [...text.matchAll(/(\S+)=(0x[0-9a-f]+):(0x[0-9a-f]+)/g)]
    .map(([, address, vendor, device]) => {
      return { address: address!, vendor: Number(vendor), device: Number(device) };
    });
}
