import { isSquare } from "../../requests/interventions/sites.ts";
import { keptAt, siteKey, type SiteOfLayer } from "../activations/kept_sites.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { LayerOutputs } from "./layer_outputs.ts";
import type { ForwardPass, Segment, SiteRows } from "./pass.ts";
import type { Workspace } from "./workspace.ts";

/** The sites of a pass: their values, and the changes and copies there. */
export class PassSites {
  readonly #workspace: Workspace;
  readonly #outputs: LayerOutputs;
  readonly #texels: number;

  /** @param texels C / 4 */
  constructor(workspace: Workspace, outputs: LayerOutputs, texels: number) {
    this.#workspace = workspace;
    this.#outputs = outputs;
    this.#texels = texels;
  }

  /** Records the changes at a site, then the copy of what is kept. */
  record(recorder: Recorder, pass: ForwardPass, at: SiteOfLayer): void {
    const edits = pass.edits.filter(({ site, layer }) => site === at.site && layer === at.layer);
    const isKept = at.site !== "RESID_POST" && !isSquare(at.site) &&
      pass.keep.some((it) => siteKey(it) === siteKey(at));
    if (edits.length === 0 && !isKept) return;
    for (const segment of pass.segments) {
      const rows = this.#rowsAt(at, segment);
      for (const edit of edits) edit.encode(recorder, segment, rows);
      if (!isKept || !rows) continue;
      const { texture, origin, texels } = rows;
      recorder.encoder.copyTextureToTexture(
        { texture, origin: [...origin] },
        { texture: keptAt(segment.activations, at), origin: [0, segment.first] },
        [texels, rows.rows],
      );
    }
  }

  /** The values of a segment at a site; SCORES and PATTERN are in its activations. */
  #rowsAt(
    { site, layer }: SiteOfLayer,
    { ids, first, row, slot }: Segment,
  ): SiteRows | undefined {
    const texels = this.#texels;
    const rows = ids.length - first;
    const { residualTexture, middleTexture, zTexture, qkvTexture } = this.#workspace;
    const of = (texture: GPUTexture): SiteRows => ({ texture, origin: [0, row, 0], texels, rows });
    const inQkv = (part: number): SiteRows => {
      const origin = [part * texels, slot + first, layer] as const;
      return { texture: qkvTexture, origin, texels, rows };
    };
    switch (site) {
      case "RESID_PRE":
      case "RESID_POST":
        return of(residualTexture);
      case "RESID_MID":
        return of(middleTexture);
      case "Z":
        return of(zTexture);
      case "ATTN_OUT":
      case "MLP_OUT":
        return of(this.#outputs.texture);
      case "Q":
        return inQkv(0);
      case "K":
        return inQkv(1);
      case "V":
        return inQkv(2);
      case "SCORES":
      case "PATTERN":
        return undefined;
    }
  }
}
