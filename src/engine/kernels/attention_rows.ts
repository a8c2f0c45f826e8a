import code from "../../../shaders/attention_rows.wgsl" with { type: "text" };
import { type Attending, defineAttending } from "./attention_pattern.ts";

/** Patterns on GPUs without subgroups, see `shaders/attention_rows.wgsl`. */
export const AttentionRows: Attending = defineAttending("attention_rows", code);
