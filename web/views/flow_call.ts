import { type Call, type Value, wordUnless } from "../calls/call.ts";
import { bosOf, type PageState } from "../page_state.ts";

const SELECTS = "cacheHit tokens { index text } matrix { axes shape url }";

/** The flow of all layers as one. */
export function flowCall(state: PageState, more: Record<string, Value | undefined> = {}): Call {
  const { prompt, model, aggregation, method } = state;
  return {
    field: "infoFlow",
    args: {
      prompt,
      model,
      aggregation: wordUnless(aggregation, "MEAN"),
      bos: wordUnless(bosOf(state), "DROP"),
      method: wordUnless(method, "ATTENTION"),
      ...more,
    },
    selects: SELECTS,
  };
}

/** Attention patterns, head by head. */
export function attentionCall(state: PageState, more: Record<string, Value | undefined>): Call {
  const { prompt, model } = state;
  return {
    field: "attention",
    args: { prompt, model, bos: wordUnless(bosOf(state), "KEEP"), ...more },
    selects: SELECTS,
  };
}
