import type { Head } from "../../requests/flow_options.ts";
import type { Gpu } from "../gpu/device.ts";
import { PromptUniform } from "../kernels/prompt.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward, Segment, StreamPass } from "../model/forward.ts";
import { copyKeysValues, copyRows, type PatternEntry } from "../activations/prompt_activations.ts";
import { allocateStreams, copyStreams, streamBytes } from "../activations/residual_stream.ts";
import type { PromptStore, PromptWork } from "./prompt_plan.ts";

/** What a question needs to be on the device. */
export interface Needs {
  /** The residual stream, beside patterns and values. */
  readonly streams: boolean;
  /** Heads that are switched off. */
  readonly ablate?: readonly Head[] | undefined;
}

/** A prompt with what a question needs of it; the device is at work on it, or done. */
export interface Settled {
  readonly ids: readonly number[];
  readonly entry: PatternEntry;
  /** Whether all of it was there. */
  readonly cacheHit: boolean;
  /** It went well: what was made may be found from now on. */
  commit(): void;
  /** It did not: everything is as if nobody had asked. */
  abort(): void;
}

/** Which heads are switched off, as cache entries are told apart by it; empty where none is. */
export function variantOf(ablate: readonly Head[] = []): string {
  const names = ablate.map(({ layer, head }) => `${layer}.${head}`);
  return [...new Set(names)].sort().join();
}

/** Sees to it that what questions beyond attention need is in a prompt's entry, and computes what is missing only. */
export class Settler {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #forward: Forward;
  readonly #store: PromptStore;
  readonly #prompt: PromptUniform;

  constructor(
    { device }: Gpu,
    architecture: Architecture,
    parts: { readonly forward: Forward; readonly store: PromptStore },
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#forward = parts.forward;
    this.#store = parts.store;
    this.#prompt = new PromptUniform(device, 1);
  }

  /**
   * Submits what is to be computed, if anything is. Whoever asked reads a result behind it, then commits or aborts.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device has no room.
   */
  async settle(ids: readonly number[], { streams, ablate = [] }: Needs): Promise<Settled> {
    if (ablate.length > 0) return await this.#settleAblated(ids, ablate);
    const work = await this.#store.plan(ids);
    const { entry, first, base } = work;
    try {
      const isKnown = first === ids.length;
      const hasStreams = !streams || (entry.streams?.rows ?? 0) >= ids.length;
      if (!isKnown || !hasStreams) {
        await this.#store.withRoom(() => this.#forward.reserve(ids.length));
        if (streams) await this.#makeStreams(entry);
      }
      let rows = entry.streams?.rows ?? 0;
      if (!isKnown) {
        if (base && base !== entry) rows = this.#copyBeginning(work, streams);
        if (streams && rows >= first) {
          this.#run(this.#segment(work, first), {
            firstLayer: 0,
            withPatterns: true,
            ablate: [],
          });
          rows = ids.length;
        } else {
          this.#run(this.#segment(work, first), undefined);
        }
      }
      if (streams && rows < ids.length) {
        this.#run(this.#segment(work, rows), { firstLayer: 0, withPatterns: false, ablate: [] });
      }
      return {
        ids,
        entry,
        cacheHit: isKnown && hasStreams,
        commit: () => {
          if (streams) entry.streams!.rows = Math.max(entry.streams!.rows, ids.length);
          work.commit();
        },
        abort: work.abort,
      };
    } catch (error) {
      work.abort();
      throw error;
    }
  }

  /** A prompt with heads switched off goes on from the first layer that has one. */
  async #settleAblated(ids: readonly number[], ablate: readonly Head[]): Promise<Settled> {
    const work = await this.#store.plan(ids, variantOf(ablate));
    const { entry } = work;
    if (work.first === ids.length) {
      return { ids, entry, cacheHit: true, commit: work.commit, abort: work.abort };
    }
    let plain: Settled | undefined;
    try {
      plain = await this.settle(ids, { streams: true });
      const source = plain.entry;
      await this.#makeStreams(entry);
      const firstLayer = Math.min(...ablate.map(({ layer }) => layer));
      const { heads } = this.#architecture;
      const encoder = this.#device.createCommandEncoder({ label: "layers before an ablation" });
      const copied = { source, target: entry, rows: ids.length };
      copyRows(encoder, copied, { layers: firstLayer, heads });
      copyKeysValues(encoder, { source, target: entry, rows: ids.length }, firstLayer);
      copyStreams(encoder, {
        source: source.streams!,
        target: entry.streams!,
        rows: ids.length,
        count: 2 * firstLayer,
      }, this.#architecture);
      this.#device.queue.submit([encoder.finish()]);
      entry.variant = variantOf(ablate);
      const segment = { ...this.#segment(work, 0), base: source };
      this.#run(segment, { firstLayer, withPatterns: true, ablate });
    } catch (error) {
      plain?.abort();
      work.abort();
      throw error;
    }
    return {
      ids,
      entry,
      cacheHit: false,
      commit: () => {
        entry.streams!.rows = ids.length;
        plain.commit();
        work.commit();
      },
      abort: () => {
        plain.abort();
        work.abort();
      },
    };
  }

  async #makeStreams(entry: PatternEntry): Promise<void> {
    if (entry.streams) return;
    this.#store.makeRoom(streamBytes(this.#architecture, entry.capacity));
    entry.streams = await this.#store.withRoom(() =>
      allocateStreams(this.#device, this.#architecture, entry.capacity)
    );
  }

  /** @returns How many positions of the streams came with it. */
  #copyBeginning({ entry, base, first }: PromptWork, streams: boolean): number {
    const encoder = this.#device.createCommandEncoder({ label: "known beginning" });
    copyRows(encoder, { source: base!, target: entry, rows: first }, this.#architecture);
    const rows = streams && base!.streams ? Math.min(base!.streams.rows, first) : 0;
    if (rows > 0) {
      copyStreams(encoder, {
        source: base!.streams!,
        target: entry.streams!,
        rows,
        count: 2 * this.#architecture.layers + 1,
      }, this.#architecture);
    }
    this.#device.queue.submit([encoder.finish()]);
    return rows;
  }

  #segment({ ids, entry, base }: PromptWork, first: number): Segment {
    const { stride } = entry;
    this.#prompt.write([{ tokens: ids.length, first, stride }]);
    return { ids, entry, base, first, slot: 0, row: 0, prompt: this.#prompt.at(0) };
  }

  /** Submits a pass: one that leaves streams, or the patterns only. */
  #run(segment: Segment, pass: StreamPass | undefined): void {
    const forward = this.#forward;
    const encoder = this.#device.createCommandEncoder({ label: "forward pass" });
    if (pass) {
      forward.beginStreams(encoder, segment, pass);
      forward.encodeStreams(encoder, segment, pass);
    } else {
      forward.begin(encoder, [segment]);
      const recorder = encoder.beginComputePass({ label: "patterns" });
      forward.encode(recorder, [segment]);
      recorder.end();
    }
    if (!pass || pass.withPatterns) forward.end(encoder, [segment], pass?.firstLayer);
    this.#device.queue.submit([encoder.finish()]);
  }
}
