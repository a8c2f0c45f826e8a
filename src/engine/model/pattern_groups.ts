import { patternsOf, type PromptActivations } from "../activations/prompt_activations.ts";
import { VEC4 } from "../activations/packed_triangles.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import type { HeadMean } from "../kernels/head_mean.ts";
import type { LayerKernels } from "./bound_layer.ts";

/** The bind groups of kernels that write and read patterns, for each buffer of a prompt's patterns. */
interface SlabGroups {
  readonly written: GPUBindGroup;
  readonly mixed: GPUBindGroup;
  readonly averaged: GPUBindGroup;
}

/** Bind groups of prompts' patterns, made once for each prompt's memory. */
export class PatternGroups {
  readonly #kernels: LayerKernels & { readonly headMean: HeadMean };
  readonly #known = new WeakMap<GPUBuffer, SlabGroups>();

  constructor(kernels: LayerKernels & { readonly headMean: HeadMean }) {
    this.#kernels = kernels;
  }

  /** The groups that write and read the patterns of one layer. */
  ofLayer(
    activations: PromptActivations,
    layer: number,
  ): { readonly written: BoundGroup; readonly mixed: BoundGroup } {
    const { buffer, offset } = patternsOf(activations, layer);
    const { written, mixed } = this.#of(activations, buffer);
    return { written: [written, offset], mixed: [mixed, offset] };
  }

  /**
   * For each buffer of a prompt's patterns, the group that computes the means over heads, and its layers.
   *
   * @param end The number of layers that have patterns.
   */
  means(
    activations: PromptActivations,
    end: number,
  ): readonly { readonly group: GPUBindGroup; readonly layers: number }[] {
    return activations.slabs.filter(({ firstLayer }) => firstLayer < end)
      .map(({ buffer, firstLayer, layers }) => {
        const { averaged } = this.#of(activations, buffer);
        return { group: averaged, layers: Math.min(layers, end - firstLayer) };
      });
  }

  #of({ slabs, layerBytes, stride, mean }: PromptActivations, buffer: GPUBuffer): SlabGroups {
    const known = this.#known.get(buffer);
    if (known) return known;
    const { attentionPattern, mixValues, headMean } = this.#kernels;
    const { firstLayer } = slabs.find((slab) => slab.buffer === buffer)!;
    const groups = {
      written: attentionPattern.bind({ patterns: { buffer, size: layerBytes } }),
      mixed: mixValues.bind({ patterns: { buffer, size: layerBytes } }),
      averaged: headMean.bind({
        patterns: buffer,
        mean: { buffer: mean, offset: firstLayer * stride * VEC4 },
      }),
    };
    this.#known.set(buffer, groups);
    return groups;
  }
}
