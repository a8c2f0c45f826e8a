import { InfoflowError } from "../../errors.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import type { Column } from "../arrow/table.ts";
import type { ModelClient } from "../queue/model_client.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger } from "./check_integer.ts";
import { type Reading, tokenizerOf } from "./reading.ts";
import { findSae, type Sae } from "./sae.ts";
import { type SeenInCorpus, seenInCorpus } from "./seen_in_corpus.ts";
import { TableAnswer } from "./table_answer.ts";

/** The scale of activations. */
export type ActivationScale = "RAW" | "DECODER_NORM";

/** Options of {@linkcode Features}. */
export interface FeaturesOptions extends ChangeArguments {
  readonly sae: string;
  /** How many at each position, by default all. */
  readonly k?: number | null | undefined;
  /** Only these features, by default all. */
  readonly features?: readonly number[] | null | undefined;
  readonly minActivation: number;
  readonly scale: ActivationScale;
  readonly bos: "DROP" | "KEEP" | "NONE";
  /** Whether each has its effect on the next token's loss. */
  readonly lossEffect?: boolean | null | undefined;
}

/** A feature that is on at a position. */
export interface ActiveFeature {
  readonly position: number;
  readonly feature: number;
  readonly activation: number;
  /** 0 for the largest of its position. */
  readonly rank: number;
  /** In nats; null at the last position, and if it was not requested. */
  readonly lossEffect: number | null;
}

/** The same, with the activation as the autoencoder computes it, on whatever scale the other is. */
type Selected = ActiveFeature & { readonly raw: number };

type Found = Questions["features"]["result"];
/** With the effects of the features that are asked for, in their order. */
type Result = Found & { readonly effects: Float32Array | undefined };

/** The most that are returned as JSON; Arrow can have more. */
const MOST_ROWS = 4096;

/** The active features of an autoencoder in a prompt. */
export class Features extends TableAnswer<Result> {
  override readonly field = "features";
  readonly sae: Sae;
  readonly scale: ActivationScale;
  readonly #options: FeaturesOptions;
  readonly #changes: Changes;
  #rows: readonly Selected[] | undefined;

  /**
   * @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder or feature, or k or minActivation is not
   *   valid.
   */
  constructor(reading: Reading, options: FeaturesOptions) {
    super(reading);
    const { k, minActivation, features } = options;
    this.sae = findSae(reading.model, options.sae);
    this.scale = options.scale;
    if (k !== undefined && k !== null) checkInteger("k", k, { min: 1, max: this.sae.features });
    for (const feature of features ?? []) {
      checkInteger("a feature", feature, { min: 0, max: this.sae.features - 1 });
    }
    if (!(minActivation >= 0 && minActivation < Infinity)) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot answer as minActivation must be 0 or more: current value is ${minActivation}`,
        { min: 0 },
      );
    }
    this.#options = options;
    this.#changes = changesOf(reading, options);
  }

  override get linkArguments(): LinkArguments {
    const { sae, k, features, minActivation, scale, bos, lossEffect } = this.#options;
    return {
      sae,
      k: k ?? undefined,
      features: features?.length ? features : undefined,
      minActivation,
      scale,
      bos,
      ...(lossEffect && { lossEffect }),
      ...this.#changes.linkArguments,
    };
  }

  /** The first position beyond the autoencoder's training prompts, if the prompt has it. */
  get beyondContext(): number | null {
    const { context } = this.sae;
    return context !== undefined && context < this.tokens.length ? context : null;
  }

  /**
   * All active features.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if they are too many for JSON.
   */
  async activations(): Promise<readonly (ActiveFeature & SeenInCorpus)[]> {
    const rows = this.#select(await this.compute());
    if (rows.length <= MOST_ROWS) {
      const dashboards = this.reading.model.dashboards?.get(this.sae.name);
      return rows.map(({ raw, ...row }) => {
        const { feature } = row;
        return { ...row, ...seenInCorpus(dashboards, { feature, activation: raw }) };
      });
    }
    throw new InfoflowError(
      "MATRIX_TOO_LARGE",
      `Cannot list ${rows.length.toLocaleString("en")} activations as the limit is ${
        MOST_ROWS.toLocaleString("en")
      }: ask for \`arrow\` or \`url\` instead, or for the k largest of each position`,
      { rows: rows.length, limit: MOST_ROWS },
    );
  }

  protected override async ask(engine: ModelClient, ids: readonly number[]): Promise<Result> {
    const { ablate, interventions } = this.#changes;
    const question = {
      ids,
      sae: this.sae.name,
      ...(ablate && { ablate }),
      ...(interventions && { interventions }),
    };
    const found = await engine.ask("features", question);
    if (!this.#options.lossEffect) return { ...found, effects: undefined };
    const chosen = this.#choose(found);
    const { effects } = await engine.ask("lossEffects", {
      ...question,
      positions: chosen.map(({ position }) => position),
      features: chosen.map(({ feature }) => feature),
    });
    return { ...found, effects };
  }

  protected override columns(result: Result): readonly Column[] {
    const rows = this.#select(result);
    return [
      { name: "position", type: "int32", values: rows.map(({ position }) => position) },
      { name: "token", type: "utf8", values: rows.map((row) => this.tokens[row.position]!.text) },
      { name: "feature", type: "int32", values: rows.map(({ feature }) => feature) },
      { name: "activation", type: "float32", values: rows.map(({ activation }) => activation) },
      { name: "rank", type: "int32", values: rows.map(({ rank }) => rank) },
      ...this.#options.lossEffect
        ? [{
          name: "loss_effect",
          type: "float32" as const,
          values: rows.map(({ lossEffect }) => lossEffect),
        }]
        : [],
    ];
  }

  #select(result: Result): readonly Selected[] {
    return this.#rows ??= this.#choose(result).map((row, n) => {
      const effect = result.effects?.[n] ?? NaN;
      return { ...row, lossEffect: Number.isNaN(effect) ? null : effect };
    });
  }

  /** The requested part of the result, on its scale. */
  #choose(
    { positions, features, activations, norms }: Found,
  ): readonly Omit<Selected, "lossEffect">[] {
    const { k, minActivation, scale, bos } = this.#options;
    const wanted = this.#options.features?.length ? new Set(this.#options.features) : undefined;
    const isBos = this.tokens[0]!.id === tokenizerOf(this.reading).bos?.id;
    const first = bos === "DROP" && isBos ? 1 : 0;
    const byPosition = Map.groupBy(positions.keys(), (n) => positions[n]!);
    const rows: Omit<Selected, "lossEffect">[] = [];
    for (const [position, entries] of byPosition) {
      if (position < first) continue;
      const own = entries.map((n) => {
        const raw = activations[n]!;
        return { feature: features[n]!, raw, activation: scale === "RAW" ? raw : raw * norms[n]! };
      });
      if (scale === "DECODER_NORM") {
        own.sort((a, b) => b.activation - a.activation || a.feature - b.feature);
      }
      for (const [rank, it] of own.slice(0, k ?? undefined).entries()) {
        if (it.activation <= minActivation || wanted?.has(it.feature) === false) continue;
        rows.push({ position, ...it, rank });
      }
    }
    return rows;
  }
}

/** The answer of the field `features`. */
export const features: AnswerMaker = aboutPrompt<FeaturesOptions>((reading, options) =>
  new Features(reading, options)
);
