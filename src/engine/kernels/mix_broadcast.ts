import code from "../../../shaders/mix_broadcast.wgsl" with { type: "text" };
import { defineMixing, type Mixing } from "./mix_values.ts";

/** z = A v on software adapters with subgroups of 8 lanes, see `shaders/mix_broadcast.wgsl`. */
export const MixBroadcast: Mixing = defineMixing("mix_broadcast", code);
