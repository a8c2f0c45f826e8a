import { type AdapterChoice, findAdapter, pciAddressesOf } from "./find_adapter.ts";

/** The adapter's description for users. */
export interface DeviceInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Whether the adapter is software on the CPU, not a GPU. */
  readonly isFallback: boolean;
  /** PCI addresses of the cards that it may be: one, several of a kind, or none where that isn't known. */
  readonly pciAddresses: readonly string[];
}

/** A device with all its adapter's limits, and the errors that no call has reported. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly info: DeviceInfo;
  /**
   * Throws the device's errors since the last call. WebGPU reports most errors to an event, not to the call that caused
   * them, so call this after awaiting results and before using them.
   *
   * @throws {Error} With the texts of all errors since the last call.
   */
  check(): void;
}

const MISSING = "Cannot start as WebGPU has no adapter here: install a Vulkan driver " +
  "(Debian and Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1, a software one) and try again";

/**
 * Opens the WebGPU device.
 *
 * @param choice Which adapter it is to be of.
 * @returns The device, with the adapter's limits rather than WebGPU's defaults.
 * @throws {Error} If there is no adapter; the text says which package to install.
 */
export async function requestGpu(choice: AdapterChoice = {}): Promise<Gpu> {
  const adapter = await findAdapter(choice);
  if (!adapter) throw new Error(MISSING);
  const device = await requestDevice(adapter);
  const errors: string[] = [];
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    errors.push((event as GPUUncapturedErrorEvent).error.message);
  });
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const pciAddresses = pciAddressesOf(adapter.info, choice.cards);
  return {
    device,
    info: { vendor, architecture, description, isFallback: isFallbackAdapter, pciAddresses },
    check(): void {
      if (errors.length > 0) throw new Error(`WebGPU: ${errors.splice(0).join("; ")}`);
    },
  };
}

/** A device with subgroups, where the adapter has them. Deno grants the feature, but doesn't list it. */
async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const options = { label: "infoflow", requiredLimits: limitsOf(adapter) };
  try {
    return await adapter.requestDevice({ ...options, requiredFeatures: ["subgroups"] });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return await adapter.requestDevice(options);
  }
}

function limitsOf(adapter: GPUAdapter): Record<string, number> {
  const { limits } = adapter;
  return {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
}
