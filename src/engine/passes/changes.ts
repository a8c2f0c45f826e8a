import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { SilenceHead } from "../kernels/silence_head.ts";
import type { SiteEdit } from "../model/pass.ts";

/** A plain run that interventions take values from, and where. */
export interface Source {
  readonly ids: readonly number[];
  readonly sites: readonly SiteOfLayer[];
}

/** Makes interventions into what a pass records at their sites. */
export class Changes {
  readonly #device: GPUDevice;
  readonly #kernel: SilenceHead;
  readonly #count: number;

  private constructor(device: GPUDevice, kernel: SilenceHead, count: number) {
    this.#device = device;
    this.#kernel = kernel;
    this.#count = count;
  }

  /** Compiles the kernels for a model. */
  static async create(device: GPUDevice, architecture: Architecture): Promise<Changes> {
    const kernel = await SilenceHead.create(device, architecture);
    return new Changes(device, kernel, architecture.heads);
  }

  /** The plain runs that interventions take values from. */
  sources(_ids: readonly number[], _interventions: readonly Intervention[]): readonly Source[] {
    return [];
  }

  /** What a pass records for interventions. */
  edits(
    _ids: readonly number[],
    interventions: readonly Intervention[],
    _plainOf: (ids: readonly number[]) => PromptActivations,
  ): Promise<SiteEdit[]> {
    const all = Array.from({ length: this.#count }, (_, head) => head);
    return Promise.resolve(interventions.map((it): SiteEdit => {
      if (it.site !== "Z" || it.action !== "ZERO" || it.positions) {
        throw new TypeError(`Cannot change ${it.site} by ${it.action}`);
      }
      return {
        // A head whose values are nothing mixes nothing, and every measure of flow sees that.
        site: "V",
        layer: it.layer,
        encode: (recorder, { ids, prompt }, rows) => {
          const { texture, origin: [, , layer] } = rows!;
          const qkv = texture.createView({
            dimension: "2d",
            baseArrayLayer: layer,
            arrayLayerCount: 1,
          });
          const group = this.#kernel.bind({ qkv });
          for (const head of it.heads ?? all) {
            this.#kernel.dispatch(
              recorder.pass,
              [[group], prompt, indexGroup(this.#device, head)],
              {
                tokens: ids.length,
              },
            );
          }
        },
      };
    }));
  }
}
