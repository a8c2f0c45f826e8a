import code from "../../../shaders/attention_broadcast.wgsl" with { type: "text" };
import { type Attending, defineAttending } from "./attention_pattern.ts";

/** Patterns on software adapters with subgroups of 8 lanes, see `shaders/attention_broadcast.wgsl`. */
export const AttentionBroadcast: Attending = defineAttending("attention_broadcast", code);
