/** The device has no room for a buffer or a texture, or a limit forbids its size. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";

  /** @param isFinal Whether a limit forbids it, so that freeing memory does not help. */
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

/** The largest storage buffer in bytes. Kernels bind whole buffers, and bindings have their own limit. */
export function largestStorage(device: GPUDevice): number {
  return Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
}

/**
 * Checks that a storage buffer is not too large.
 *
 * @throws {AllocationError} If it is.
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
 * Makes a buffer and waits until the device has confirmed it: `createBuffer` never throws, but may return a buffer that
 * no command accepts.
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
 * Makes a storage texture in the same way. It may be a texel wider and higher than requested: Mesa's software adapter
 * compiles a kernel again for each new combination of its textures' sizes being powers of two or not.
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

/** The bytes that this thread has allocated on devices with these functions. */
export function allocatedBytes(): number {
  return live;
}

/** Frees some memory of a device; false if nothing more can be freed. */
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
