import { InfoflowError } from "../../errors.ts";
import type { SaeFitFound, SaeInfo } from "../../requests/sae/feature_questions.ts";
import type { SaeReport } from "../../requests/sae/sae_config.ts";
import { ceScoreOf, farOff } from "../../requests/sae/far_off.ts";
import { conversionInWords } from "../../requests/sae/conversion_in_words.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { readBy, type ReadingSource, tokenizerOf } from "./reading.ts";

/** The GraphQL type `SaeFit`: the quality of an autoencoder on a prompt. */
export interface SaeFit extends SaeFitFound {
  /** (zeros - SAE) / (zeros - model) of the losses. */
  readonly ceScore: number;
  readonly warning: string | null;
}

/** The GraphQL type `Sae`: an autoencoder that is served with a model. */
export class Sae {
  readonly #model: LoadedModel;
  readonly #info: SaeInfo;

  constructor(model: LoadedModel, info: SaeInfo) {
    this.#model = model;
    this.#info = info;
  }

  get name(): string {
    return this.#info.name;
  }

  get model(): string {
    return this.#model.name;
  }

  get hook(): string {
    return this.#info.config.hook;
  }

  get layer(): number {
    return this.#info.config.layer;
  }

  get site(): string {
    return this.#info.config.site;
  }

  get architecture(): string {
    return this.#info.config.architecture;
  }

  get features(): number {
    return this.#info.config.features;
  }

  get context(): number | undefined {
    return this.#info.config.context;
  }

  get conversion(): string {
    return conversionInWords(this.#info.config);
  }

  get report(): SaeReport {
    return this.#info.config.report;
  }

  /**
   * Its quality on a prompt.
   *
   * @throws {InfoflowError} As for any prompt; BAD_USER_INPUT if it has one token only.
   */
  async fit(source: ReadingSource): Promise<SaeFit> {
    const reading = readBy(this.#model, source);
    const { ids } = reading;
    const beginsWithBos = ids[0] === tokenizerOf(reading).bos?.id;
    if (ids.length < 3) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot say how well ${this.name} does as the prompt must have 2 tokens beside BOS: current value is ${
          ids.length - 1
        }`,
        { tokens: ids.length - 1 },
      );
    }
    const { name } = this;
    const fit = await this.#model.engine.ask("saeFit", { ids, sae: name, beginsWithBos });
    const ceScore = ceScoreOf(fit);
    return { ...fit, ceScore, warning: warningOf({ ...fit, ceScore }, this.report, ids.length) };
  }
}

/** The autoencoders of a model. */
export function saesOf(model: LoadedModel): Sae[] {
  return model.engine.info.saes.map((info) => new Sae(model, info));
}

/**
 * Finds a model's autoencoder.
 *
 * @throws {InfoflowError} BAD_USER_INPUT, with the names that there are.
 */
export function findSae(model: LoadedModel, name: string): Sae {
  const saes = saesOf(model);
  const found = saes.find((sae) => sae.name === name);
  if (found) return found;
  const names = saes.map((sae) => sae.name);
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot find an autoencoder ${JSON.stringify(name)} of ${model.name}: ${
      names.length > 0
        ? `there are ${names.join(", ")}`
        : "it is served with none, start the server with --sae"
    }`,
    { sae: name, saes: names.join(", ") },
  );
}

function warningOf(
  fit: SaeFitFound & { readonly ceScore: number },
  report: SaeReport,
  tokens: number,
): string | null {
  const reasons = farOff(fit, report, tokens);
  if (reasons.length === 0) return null;
  return `It does not seem to fit this model: ${
    reasons.join("; ")
  }. Is it of this model, and is the conversion right?`;
}
