import type { PciCard } from "../engine/gpu/find_adapter.ts";

/** The variable that tells the server which graphics cards there are: it may not look itself. */
export const CARDS_VARIABLE = "INFOFLOW_CARDS";

/** Shell commands that list this machine's graphics cards (PCI class 03) in the variable, on Linux. */
export const LIST_CARDS = `cards=
for card in /sys/bus/pci/devices/*; do
  { read -r class < "$card/class" && read -r vendor < "$card/vendor" && read -r device < "$card/device"; } 2>/dev/null || continue
  case $class in 0x03*) cards="$cards $(basename "$card")=$vendor:$device" ;; esac
done
export ${CARDS_VARIABLE}="$cards"`;

/** The cards that the variable has, such as `0000:01:00.0=0x10de:0x2330`. */
export function cardsIn(text = ""): PciCard[] {
  return [...text.matchAll(/(\S+)=(0x[0-9a-f]+):(0x[0-9a-f]+)/g)]
    .map(([, address, vendor, device]) => {
      return { address: address!, vendor: Number(vendor), device: Number(device) };
    });
}
