import type { Architecture } from "../requests/architecture/architecture.ts";
import type { SaeInfo } from "../requests/sae/feature_questions.ts";
import type { WeightType } from "../requests/weight_type.ts";
import type { DeviceInfo } from "./gpu/device.ts";

/** The model and the device of an engine. */
export interface EngineInfo {
  readonly architecture: Architecture;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
  readonly device: DeviceInfo;
  /** The kernel of each shape of linears, such as `768x3072`. */
  readonly linears: Readonly<Record<string, string>>;
  /** How the weights of linears are kept on the device. */
  readonly weightType: WeightType;
  /** The autoencoders that are served with the model. */
  readonly saes: readonly SaeInfo[];
  /** How many tokens of new prompts are computed in one pass of a batch job. */
  readonly passTokens: number;
}
