import { rowStart } from "../activations/packed_triangles.ts";
import { keptScores } from "../activations/kept_sites.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { AttentionPattern } from "../kernels/attention_pattern.ts";
import type { HeadMean } from "../kernels/head_mean.ts";
import type { BoundLayer, LayerKernels } from "./bound_layer.ts";
import type { ForwardPass } from "./pass.ts";
import type { PassSites } from "./pass_sites.ts";
import { PatternGroups } from "./pattern_groups.ts";

/** The part of a layer that works by prompt and not by row: patterns, and the mixing of values. */
export class Attention {
  readonly #kernels: LayerKernels & { readonly headMean: HeadMean };
  readonly #groups: PatternGroups;

  constructor(kernels: LayerKernels & { readonly headMean: HeadMean }) {
    this.#kernels = kernels;
    this.#groups = new PatternGroups(kernels);
  }

  /** Records the patterns of a layer, and the changes of its scores and patterns. */
  patterns(
    recorder: Recorder,
    pass: ForwardPass,
    { index, layer, sites }: {
      readonly index: number;
      readonly layer: BoundLayer;
      readonly sites: PassSites;
    },
  ): void {
    const { attentionPattern, scores, softmax } = this.#kernels;
    const record = (kernel: AttentionPattern): void => {
      for (const { ids, first, prompt, activations } of pass.segments) {
        const { written } = this.#groups.ofLayer(activations, index);
        const groups = [[layer.attention.pattern], prompt, written] as const;
        kernel.dispatch(recorder.pass, groups, { targets: ids.length - first });
      }
    };
    if (pass.edits.some((it) => it.site === "SCORES" && it.layer === index)) {
      record(scores);
      sites.record(recorder, pass, { site: "SCORES", layer: index });
      record(softmax);
    } else record(attentionPattern);
    sites.record(recorder, pass, { site: "PATTERN", layer: index });
  }

  /** Records the scores of a layer once more, if they are kept. */
  keepScores(
    recorder: Recorder,
    { keep, segments }: ForwardPass,
    { index, layer }: { readonly index: number; readonly layer: BoundLayer },
  ): void {
    if (!keep.some((it) => it.site === "SCORES" && it.layer === index)) return;
    const { scores } = this.#kernels;
    for (const { ids, first, prompt, activations } of segments) {
      const buffer = keptScores(activations, index);
      const written = scores.bind({ patterns: { buffer, size: activations.layerBytes } });
      const groups = [[layer.attention.pattern], prompt, [written, 0]] as const;
      scores.dispatch(recorder.pass, groups, { targets: ids.length - first });
    }
  }

  /** Records z = A v of a layer. */
  mix(
    recorder: Recorder,
    { segments }: ForwardPass,
    { index, layer }: { readonly index: number; readonly layer: BoundLayer },
  ): void {
    for (const { ids, first, prompt, activations } of segments) {
      const { mixed } = this.#groups.ofLayer(activations, index);
      const groups = [[layer.attention.mix], prompt, mixed] as const;
      this.#kernels.mixValues.dispatch(recorder.pass, groups, { targets: ids.length - first });
    }
  }

  /** Records the means over heads of all layers that have patterns. */
  means(recorder: Recorder, { segments, layersMade }: ForwardPass): void {
    for (const { activations, first, prompt } of segments) {
      const length = activations.stride - rowStart(first);
      for (const { group, layers } of this.#groups.means(activations, layersMade)) {
        this.#kernels.headMean.dispatch(recorder.pass, [[group], prompt], { length, layers });
      }
    }
  }
}
