import releases from "../../../weights/saes.json" with { type: "json" };
import type { SaeOverrides } from "./parse_sae_config.ts";

/** An autoencoder of a public release. */
export interface ReleasedSae extends SaeOverrides {
  /** Such as `gpt2-small-res-jb/blocks.8.hook_resid_pre`. */
  readonly name: string;
  /** On the Hugging Face hub. */
  readonly repository: string;
  /** In the repository. */
  readonly folder: string;
  /** Whether it is published as a pickle, which is not read. */
  readonly isPickle: boolean;
}

interface Release {
  readonly repository: string;
  readonly format?: string;
  readonly modelOptions?: Record<string, boolean>;
  readonly saes: Record<
    string,
    { folder: string; factor?: number; l0?: number; explainedVariance?: number }
  >;
}

/** All autoencoders of `weights/saes.json`, by name. */
export const RELEASED_SAES: ReadonlyMap<string, ReleasedSae> = new Map(
  Object.entries(releases as unknown as Record<string, Release>).flatMap(([release, it]) =>
    Object.entries(it.saes).map(([id, { folder, factor, l0, explainedVariance }]) => {
      const name = `${release}/${id}`;
      const sae: ReleasedSae = {
        name,
        repository: it.repository,
        folder,
        isPickle: it.format === "pickle",
        modelOptions: it.modelOptions,
        factor,
        report: l0 === undefined ? undefined : { l0, explainedVariance },
      };
      return [name, sae] as const;
    })
  ),
);
