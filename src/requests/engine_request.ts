import { type FlowResult, type MatrixOptions, methodOf } from "./flow_options.ts";
import type { Changed } from "./interventions/changes_in.ts";
import { interventionsKey } from "./interventions/intervention.ts";
import type { Answered, Question } from "./questions.ts";

/** The most requests that are answered with one submission. */
export const MOST_REQUESTS = 64;

/** The model that is asked. */
export interface ToModel {
  /** Its place among the worker's directories; the first without it. */
  readonly model?: number | undefined;
}

/** A request for a matrix. */
export interface FlowWork extends ToModel {
  readonly ids: readonly number[];
  readonly options: MatrixOptions;
}

/** A request to an engine: for a matrix, or another question. */
export type Work = FlowWork | Question & ToModel;

/** The result of a request to an engine. */
export type WorkResult = FlowResult | Answered;

/** Whether it is a question. */
export function isQuestion(work: Work): work is Question & ToModel {
  return "name" in work;
}

/** The prompt of a request. */
export function idsOf(work: Work): readonly number[] {
  return isQuestion(work) ? work.argument.ids : work.ids;
}

/** The model that is asked, by its place among the worker's directories. */
export function modelOf({ model = 0 }: Work): number {
  return model;
}

/** The key of its forward pass: requests with equal keys share one pass. */
function passKey(work: Work): string {
  const { ablate, interventions }: Changed = isQuestion(work) ? work.argument : work.options;
  const heads = ablate?.map(({ layer, head }) => `${layer}.${head}`) ?? [];
  const changes = interventionsKey(interventions ?? []);
  return `${modelOf(work)}/${idsOf(work).join()}/${heads.join()}/${changes}`;
}

/** The keys of all forward passes that a request may need: its own, and those of donors. */
export function passKeys(work: Work): readonly string[] {
  const plain = (ids: readonly number[]): string => `${modelOf(work)}/${ids.join()}//`;
  const { interventions }: Changed = isQuestion(work) ? work.argument : work.options;
  const donors = (interventions ?? []).flatMap(({ from }) => from ? [plain(from)] : []);
  const corrupted = isQuestion(work) && work.argument.corrupted
    ? [plain(work.argument.corrupted)]
    : [];
  return [...new Set([passKey(work), ...donors, ...corrupted])];
}

/** The key of what is cached with an answer: a later request with the same key costs almost nothing. */
export function promptKey(work: Work): string {
  return `${passKey(work)}/${isQuestion(work) ? nameOf(work) : methodOf(work.options)}`;
}

/** The question, and the autoencoder that it is about. */
function nameOf({ name, argument }: Question): string {
  return argument.sae === undefined ? name : `${name}/${argument.sae}`;
}
