import type { Site } from "../../requests/interventions/sites.ts";
import { keptAt } from "../activations/kept_sites.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { AttentionKernels } from "./attention_trial.ts";
import { BoundModel, compileForward, type Model } from "./bound_model.ts";
import { embed } from "./embed.ts";
import type { OutputOperands } from "./layer_outputs.ts";
import { type ForwardPass, rowsOf } from "./pass.ts";
import { stopOf } from "./stop.ts";

/** GPT-2's forward pass, up to the last site that is needed: patterns, and the activations kept at sites. */
export class Forward extends BoundModel {
  /** The contents of `rows`. */
  #told: readonly number[] = [0, 0];

  /** Compiles the kernels that are a model's own. */
  static async create(
    device: GPUDevice,
    { attention, ...model }: Model & { readonly attention: AttentionKernels },
  ): Promise<Forward> {
    return new Forward(device, model, await compileForward(device, model.architecture, attention));
  }

  /**
   * Records a pass, or some of its layers.
   *
   * @param range The first layer to record, and the one after the last. The beginning of the pass is recorded with its
   *   first layer, and its end with the model's last.
   */
  encode(
    recorder: Recorder,
    pass: ForwardPass,
    range: { readonly first: number; readonly end: number } = {
      first: 0,
      end: this.architecture.layers,
    },
  ): void {
    const { layers } = this.architecture;
    const isLast = range.end === layers;
    if (range.first <= pass.firstLayer && (pass.firstLayer < range.end || isLast)) {
      this.#begin(recorder, pass);
    }
    const stop = stopOf(pass);
    for (let layer = Math.max(range.first, pass.firstLayer); layer < range.end; layer++) {
      this.#encodeLayer(recorder, pass, { layer, isWanted: (site) => stop.isBefore(layer, site) });
    }
    if (isLast) this.#end(recorder, pass);
  }

  #encodeLayer(
    recorder: Recorder,
    pass: ForwardPass,
    { layer: index, isWanted }: { layer: number; isWanted: (site: Site) => boolean },
  ): void {
    const layer = this.layers[index]!;
    const rows = rowsOf(pass);
    const sites = this.sites;
    const at = (site: Site): void => sites.record(recorder, pass, { site, layer: index });
    if (!isWanted("RESID_PRE")) return;
    at("RESID_PRE");
    if (!isWanted("Q")) return;
    if (pass.makesPatterns || keepsQkv(pass, index)) {
      // Also in the last layer, whose values no pattern needs but other flow methods do.
      layer.attentionIn(recorder.pass, rows);
      at("Q");
      at("K");
      at("V");
    }
    this.attention.keepScores(recorder, pass, { index, layer });
    if (pass.makesPatterns) this.attention.patterns(recorder, pass, { index, layer, sites });
    if (!isWanted("Z")) return;
    this.attention.mix(recorder, pass, { index, layer });
    at("Z");
    if (!isWanted("ATTN_OUT")) return;
    if (!this.#encodeOutput(recorder, pass, { site: "ATTN_OUT", layer: index })) {
      layer.attentionOut(recorder.pass, rows);
    }
    at("RESID_MID");
    if (!isWanted("MLP_OUT")) return;
    layer.mlpIn(recorder.pass, rows);
    if (!this.#encodeOutput(recorder, pass, { site: "MLP_OUT", layer: index })) {
      layer.mlpOut(recorder.pass, rows);
    }
    at("RESID_POST");
  }

  /** If an output is kept or changed, records it by itself and then its sum with the residual stream. */
  #encodeOutput(
    recorder: Recorder,
    pass: ForwardPass,
    { site, layer }: { readonly site: "ATTN_OUT" | "MLP_OUT"; readonly layer: number },
  ): boolean {
    const isHere = (it: { readonly site: Site; readonly layer: number }): boolean =>
      it.site === site && it.layer === layer;
    if (!pass.keep.some(isHere) && !pass.edits.some(isHere)) return false;
    const { attentionOut, mlpOut } = this.weights.layers[layer]!;
    const { residual, middle, z, hidden } = this.workspace;
    const rows = this.rows;
    const operands: OutputOperands = site === "ATTN_OUT"
      ? { linear: attentionOut, rows, x: z, before: residual, after: middle }
      : { linear: mlpOut, rows, x: hidden, before: middle, after: residual };
    this.outputs.make(recorder.pass, operands, rowsOf(pass));
    this.sites.record(recorder, pass, { site, layer });
    this.outputs.add(recorder.pass, operands, rowsOf(pass));
    return true;
  }

  /** Writes the stream before the first layer, and the keys and values of positions that are not computed. */
  #begin(recorder: Recorder, pass: ForwardPass): void {
    const { segments, firstLayer, makesPatterns } = pass;
    const { channels } = this.architecture;
    const [segment] = segments;
    const { ids, first, base, activations, row } = segment!;
    const rows = rowsOf(pass);
    this.#tellRows(rows, first);
    if (firstLayer === 0) {
      this.device.queue.writeTexture(
        { texture: this.workspace.residualTexture },
        embed(segments, this.weights, channels),
        { bytesPerRow: channels * Float32Array.BYTES_PER_ELEMENT },
        [channels / 4, rows],
      );
    } else {
      const texture = keptAt(base!, { site: "RESID_PRE", layer: firstLayer });
      recorder.encoder.copyTextureToTexture(
        { texture, origin: [0, first] },
        { texture: this.workspace.residualTexture, origin: [0, row] },
        [channels / 4, rows],
      );
      this.sites.record(recorder, pass, { site: "RESID_POST", layer: firstLayer - 1 });
    }
    if (!makesPatterns) return this.bringValues(recorder.encoder, { activations, ids });
    if (base && first > 0) {
      this.bringValues(recorder.encoder, { activations: base, ids: ids.slice(0, first) });
    }
    this.keysValues.forget();
  }

  /** Tells the linears of the rows, if they are others than in the pass before: an upload costs some microseconds. */
  #tellRows(...words: [count: number, first: number]): void {
    if (this.#told.join() === words.join()) return;
    this.#told = words;
    this.device.queue.writeBuffer(this.rows, 0, new Uint32Array(words));
  }

  /** Records what every pass keeps: the means over heads, keys and values. */
  #end(recorder: Recorder, pass: ForwardPass): void {
    const { layers } = this.architecture;
    this.sites.record(recorder, pass, { site: "RESID_PRE", layer: layers });
    if (!pass.makesPatterns || pass.layersMade === 0) return;
    this.attention.means(recorder, pass);
    this.keysValues.leave(recorder.encoder, this.workspace.qkvTexture, pass);
  }
}

/** Whether a layer's queries, keys, values or scores are kept at a site. */
function keepsQkv({ keep }: ForwardPass, index: number): boolean {
  return keep.some(({ site, layer }) =>
    layer === index && ["Q", "K", "V", "SCORES"].includes(site)
  );
}
