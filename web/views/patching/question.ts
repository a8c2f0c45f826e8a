import type { Call } from "../../calls/call.ts";
import type { Question } from "../../server/answers.ts";
import type { Prediction } from "../../server/forecast.ts";
import { askGraphQL } from "../../server/graphql.ts";
import { fetchTable } from "../../server/table.ts";

/** Both prompts, and what comes next after each. */
export interface Pair {
  readonly clean: readonly Prediction[];
  readonly corrupted: readonly Prediction[];
}

type List = { readonly predictions: readonly Prediction[] };

const PAIR = `query Pair($clean: String, $corrupted: String, $model: String) {
  clean: nextTokens(prompt: $clean, model: $model, k: 10) { predictions { text probability } }
  corrupted: nextTokens(prompt: $corrupted, model: $model, k: 10) { predictions { text probability } }
}`;

/** Asks what comes next after each of two prompts. */
export function pairOf(args: {
  readonly clean: string;
  readonly corrupted: string;
  readonly model: string | undefined;
}): Question<Pair> {
  return {
    key: `pair ${JSON.stringify(args)}`,
    fetch: async (signal) => {
      const { clean, corrupted } = await askGraphQL<{ clean: List; corrupted: List }>(
        PAIR,
        args,
        signal,
      );
      return { clean: clean.predictions, corrupted: corrupted.predictions };
    },
  };
}

/** The arguments of a grid. */
export interface PatchingArguments {
  readonly clean: string;
  readonly corrupted: string;
  readonly model: string | undefined;
  readonly answer: string;
  readonly against: string;
  readonly site: string;
  readonly by: string;
  readonly direction: string;
  readonly metric: string;
}

/** A grid of patches, normalised. */
export interface PatchingGrid {
  readonly clean: number;
  readonly corrupted: number;
  readonly tokens: readonly string[];
  readonly corruptedTokens: readonly string[];
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** The question to the API. */
export function patchingCall(args: PatchingArguments): Call {
  const { site, by, direction, metric, ...others } = args;
  return {
    field: "patching",
    args: {
      ...others,
      site: { word: site },
      by: { word: by },
      direction: { word: direction },
      metric: { word: metric },
    },
    selects: "clean corrupted matrix { axes shape url }",
  };
}

/** Asks for a grid. */
export function gridOf(args: PatchingArguments): Question<PatchingGrid> {
  return {
    key: `patching ${JSON.stringify(args)}`,
    fetch: async (signal) => {
      const { table, metadata } = await fetchTable(patchingCall(args), signal);
      const known = metadata as unknown as Omit<PatchingGrid, "values">;
      return { ...known, values: table.getChild("value")!.toArray() as Float32Array };
    },
  };
}

const PATCHED = `query Patched($prompt: String, $model: String, $changes: [InterventionInput!]) {
  whole: nextTokens(prompt: $prompt, model: $model, k: 50) { predictions { text probability } }
  without: nextTokens(prompt: $prompt, model: $model, k: 50, interventions: $changes) {
    predictions { text probability }
  }
}`;

/** Asks what comes next without a patch and with it. */
export function patchedOf(args: {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly changes: unknown;
}): Question<{ whole: readonly Prediction[]; without: readonly Prediction[] }> {
  return {
    key: `patched ${JSON.stringify(args)}`,
    fetch: async (signal) => {
      const { whole, without } = await askGraphQL<{ whole: List; without: List }>(
        PATCHED,
        args,
        signal,
      );
      return { whole: whole.predictions, without: without.predictions };
    },
  };
}
