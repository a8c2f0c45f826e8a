/** The device has no room for a buffer or a texture, or a limit forbids its size. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";

  /** @param isFinal Whether a limit forbids it, so that no freeing of memory helps. */
  constructor(message: string, readonly isFinal = false) {
    super(message);
  }
}

/** Options of a buffer. */
export interface BufferSpec {
  /** Its name in error messages and debuggers. */
  readonly label: string;
  readonly bytes: number;
  /** Flags of `GPUBufferUsage`. */
  readonly usage: number;
}

/** Options of a texture of activations or weights: four numbers a texel. */
export interface TextureSpec {
  /** Its name in error messages and debuggers. */
  readonly label: string;
  /** In texels. */
  readonly width: number;
  readonly height: number;
  /** How many of them, one after the other. */
  readonly layers?: number;
  /** `rgba32float` by default. */
  readonly format?: "rgba32float" | "rgba16float";
}

/** Bytes of a texel, and of a vec4f. */
export const TEXEL = 16;
/** Bytes of a texel of rgba16float. */
export const HALF_TEXEL = 8;

/** The most bytes of a storage buffer: kernels bind buffers whole, and a binding has a limit of its own. */
export function largestStorage(device: GPUDevice): number {
  return Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
}

/**
 * Checks that a storage buffer may be so large.
 *
 * @throws {AllocationError} If it may not.
 */
export function checkStorage(
  device: GPUDevice,
  size: { readonly label: string; readonly bytes: number },
): void {
  const limit = largestStorage(device);
  if (size.bytes <= limit) return;
  throw refused(size, `the device binds no more than ${inBytes(limit)}`, true);
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
  if (usage & GPUBufferUsage.STORAGE) checkStorage(device, spec);
  return await checked(
    device,
    spec,
    () => device.createBuffer({ label, size: bytes, usage }),
  );
}

/**
 * Makes a storage texture, likewise. It may be a texel wider and higher than asked for: Mesa's software
 * adapter compiles a kernel again for each new combination of its textures' sizes being powers of two or not.
 *
 * @returns The texture, whose contents are zero.
 * @throws {AllocationError} If the device refuses.
 */
export async function allocateTexture(device: GPUDevice, spec: TextureSpec): Promise<GPUTexture> {
  const { label, layers = 1, format = "rgba32float" } = spec;
  const texel = format === "rgba32float" ? TEXEL : HALF_TEXEL;
  const [width, height] = [spec.width, spec.height].map(notPowerOfTwo) as [number, number];
  return await checked(
    device,
    { label, bytes: width * height * layers * texel },
    () =>
      device.createTexture({
        label,
        size: [width, height, layers],
        format,
        usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_SRC |
          GPUTextureUsage.COPY_DST,
      }),
  );
}

/** Bytes of buffers and textures of this thread that were made here and not destroyed. */
let live = 0;

/** The memory that this thread has on devices, in bytes, as far as it was made with these functions. */
export function allocatedBytes(): number {
  return live;
}

/** Gives some memory of a device back; false if nothing is left that can be given. */
type Evict = () => boolean;

const evictors = new WeakMap<GPUDevice, Evict[]>();

/**
 * Adds a way to free memory when a device has none left, to be tried after those added before. An allocation that the
 * device refuses is retried after each of them.
 */
export function evictWith(device: GPUDevice, evict: Evict): void {
  evictors.set(device, [...evictors.get(device) ?? [], evict]);
}

async function checked<T extends GPUBuffer | GPUTexture>(
  device: GPUDevice,
  size: { readonly label: string; readonly bytes: number },
  make: () => T,
): Promise<T> {
  for (;;) {
    // No await between push and pop: scopes that overlap swap their errors.
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const made = make();
    const verdicts = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
    const error = verdicts.find((verdict) => verdict !== null);
    if (!error) return counted(made, size.bytes);
    made.destroy();
    const hasMore = evictors.get(device)?.some((evict) => evict()) ?? false;
    if (!hasMore) throw refused(size, error.message);
  }
}

function counted<T extends GPUBuffer | GPUTexture>(made: T, bytes: number): T {
  live += bytes;
  const destroy = made.destroy;
  let isLive = true;
  made.destroy = (): undefined => {
    if (isLive) live -= bytes;
    isLive = false;
    destroy.call(made);
  };
  return made;
}

function refused(
  { label, bytes }: { readonly label: string; readonly bytes: number },
  reason: string,
  isFinal = false,
): AllocationError {
  return new AllocationError(`Cannot allocate ${label} of ${inBytes(bytes)}: ${reason}`, isFinal);
}

function inBytes(count: number): string {
  return `${count.toLocaleString("en")} bytes`;
}

function notPowerOfTwo(size: number): number {
  return (size & (size - 1)) === 0 ? size + 1 : size;
}
