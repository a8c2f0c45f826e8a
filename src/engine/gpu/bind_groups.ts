/** Caches bind groups of one kind by the buffers that they bind, as long as the first of these lives. */
export class BindGroups {
  readonly #known = new WeakMap<GPUBuffer, Known>();

  /** The bind group of these buffers; a new one if the last one of the first buffer had others. */
  of(buffers: readonly [GPUBuffer, ...GPUBuffer[]], make: () => GPUBindGroup): GPUBindGroup {
    const known = this.#known.get(buffers[0]);
    if (known && buffers.every((buffer, index) => buffer === known.buffers[index])) {
      return known.group;
    }
    const group = make();
    this.#known.set(buffers[0], { buffers, group });
    return group;
  }
}

interface Known {
  readonly buffers: readonly GPUBuffer[];
  readonly group: GPUBindGroup;
}
