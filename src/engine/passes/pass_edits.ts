import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import { hasHeads, isSquare } from "../../requests/interventions/sites.ts";
import { GrowingTexture } from "../gpu/growing_texture.ts";
import { EditPatterns } from "../kernels/edit_patterns.ts";
import { EditRows } from "../kernels/edit_rows.ts";
import { MeanRows } from "../kernels/mean_rows.ts";
import type { SiteEdit } from "../model/pass.ts";
import type { ChangeContext } from "./change_context.ts";
import { patternEdit } from "./pattern_edit.ts";
import { rowEdit } from "./row_edit.ts";

/** Turns interventions into the commands that a pass records at their sites. */
export class PassEdits {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #before: GrowingTexture;

  constructor(device: GPUDevice, architecture: Architecture) {
    this.#device = device;
    this.#architecture = architecture;
    const size = { label: "rows before an edit", width: architecture.channels / 4, layers: 1 };
    this.#before = new GrowingTexture(device, size);
  }

  /**
   * The edits of a pass.
   *
   * @param interventions In canonical form.
   * @throws {AllocationError} If the device has no room.
   */
  async edits(
    interventions: readonly Intervention[],
    prompt: Pick<ChangeContext, "ids" | "plainOf" | "owned">,
  ): Promise<SiteEdit[]> {
    const device = this.#device;
    const architecture = this.#architecture;
    const kernels = {
      editRows: await EditRows.create(device),
      editPatterns: await EditPatterns.create(device),
      meanRows: await MeanRows.create(device, architecture),
    };
    const before = await this.#before.atLeast(prompt.ids.length);
    const context = { ...prompt, device, architecture, kernels, before };
    const edits: SiteEdit[] = [];
    for (const [index, it] of interventions.entries()) {
      const change = isOfValues(it, interventions.slice(0, index))
        ? { ...it, site: "V" as const }
        : it;
      edits.push(
        isSquare(change.site) ? await patternEdit(change, context) : await rowEdit(change, context),
      );
    }
    return edits;
  }
}

/**
 * The values of a head that is ablated at all positions are zeroed, so that every measure of flow sees it. This holds
 * only if the head's output was not changed before.
 */
function isOfValues(it: Intervention, before: readonly Intervention[]): boolean {
  return it.site === "Z" && it.action === "ZERO" && !it.positions && hasHeads(it.site) &&
    !before.some(({ site, layer }) => site === "Z" && layer === it.layer);
}
