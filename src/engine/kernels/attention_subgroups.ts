import code from "../../../shaders/attention_subgroups.wgsl" with { type: "text" };
import { type Attending, defineAttending } from "./attention_pattern.ts";

/** Patterns on GPUs with subgroups, see `shaders/attention_subgroups.wgsl`. */
export const AttentionSubgroups: Attending = defineAttending("attention_subgroups", code);
