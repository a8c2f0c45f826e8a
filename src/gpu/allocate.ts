/** The device has no room for a buffer, or a limit forbids its size. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
}

/** What a buffer is made from. */
export interface BufferSpec {
  /** What error messages and debuggers call it. */
  readonly label: string;
  readonly bytes: number;
  /** Flags of `GPUBufferUsage`. */
  readonly usage: number;
}

/** The most bytes of a storage buffer: kernels bind buffers whole, and a binding has a limit of its own. */
export function largestStorage(device: GPUDevice): number {
  return Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
}

/**
 * Makes a buffer and waits for the device's word on it: `createBuffer` never throws, it returns a buffer that no
 * command accepts.
 *
 * @returns The buffer, whose contents are zero.
 * @throws {AllocationError} If the device refuses.
 */
export async function allocate(device: GPUDevice, spec: BufferSpec): Promise<GPUBuffer> {
  const { label, bytes, usage } = spec;
  if (usage & GPUBufferUsage.STORAGE && bytes > largestStorage(device)) {
    throw refused(spec, `the device binds no more than ${inBytes(largestStorage(device))}`);
  }
  // No await between push and pop: scopes that overlap swap their errors.
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const buffer = device.createBuffer({ label, size: bytes, usage });
  const verdicts = [device.popErrorScope(), device.popErrorScope()];
  for (const error of await Promise.all(verdicts)) {
    if (error) {
      buffer.destroy();
      throw refused(spec, error.message);
    }
  }
  return buffer;
}

function refused({ label, bytes }: BufferSpec, reason: string): AllocationError {
  return new AllocationError(`Cannot allocate ${label} of ${inBytes(bytes)}: ${reason}`);
}

function inBytes(count: number): string {
  return `${count.toLocaleString("en")} bytes`;
}
