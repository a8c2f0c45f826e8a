import { InfoflowError } from "../../errors.ts";

/** A graphics card of this machine, as the operating system lists it. */
export interface PciCard {
  /** Such as `0000:01:00.0`. */
  readonly address: string;
  readonly vendor: number;
  readonly device: number;
}

/** Which adapter is to be opened. */
export interface AdapterChoice {
  /** `high-performance`, `low-power`, `software`, or a part of the adapter's name; what WebGPU likes best without it. */
  readonly adapter?: string | undefined;
  /** The cards that there are, where that is known. */
  readonly cards?: readonly PciCard[] | undefined;
}

/** All that WebGPU lets one ask for: it gives one adapter for each, and has no list of them. */
const REQUESTS: Readonly<Record<string, GPURequestAdapterOptions>> = {
  "high-performance": { powerPreference: "high-performance" },
  "low-power": { powerPreference: "low-power" },
  software: { forceFallbackAdapter: true },
};

/**
 * Finds the adapter that was asked for.
 *
 * @returns Nothing if there is no adapter at all.
 * @throws {InfoflowError} BAD_USER_INPUT if none has the name; it says which there are.
 */
export async function findAdapter({ adapter: asked }: AdapterChoice): Promise<GPUAdapter | null> {
  if (!navigator.gpu) return null;
  if (asked === undefined) return await navigator.gpu.requestAdapter();
  const request = REQUESTS[asked];
  const requests = request ? [request] : [{}, ...Object.values(REQUESTS)];
  const names = new Set<string>();
  for (const options of requests) {
    const adapter = await navigator.gpu.requestAdapter(options);
    const name = adapter?.info.description ?? "";
    if (adapter && (request || name.toLowerCase().includes(asked.toLowerCase()))) return adapter;
    if (name !== "") names.add(name);
  }
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot open the adapter ${asked} as WebGPU offers ${[...names].join("; ") || "none like it"}`,
  );
}

/** Where the cards of an adapter's kind are; WebGPU does not say which of several it is. */
export function pciAddressesOf(
  { vendor, device }: Pick<GPUAdapterInfo, "vendor" | "device">,
  cards: readonly PciCard[] = [],
): string[] {
  return cards.filter((card) => card.vendor === Number(vendor) && card.device === Number(device))
    .map(({ address }) => address);
}
