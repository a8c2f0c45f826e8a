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
export interface MatrixRequest extends ToModel {
  readonly ids: readonly number[];
  readonly options: MatrixOptions;
}

/** A request to an engine: for a matrix, or another question. */
export type EngineRequest = MatrixRequest | Question & ToModel;

/** The result of a request to an engine. */
export type EngineResult = FlowResult | Answered;

/** Whether it is a question. */
export function isQuestion(request: EngineRequest): request is Question & ToModel {
  return "name" in request;
}

/** The prompt of a request. */
export function idsOf(request: EngineRequest): readonly number[] {
  return isQuestion(request) ? request.argument.ids : request.ids;
}

/** The model that is asked, by its place among the worker's directories. */
export function modelOf({ model = 0 }: EngineRequest): number {
  return model;
}

/** The key of its forward pass: requests with equal keys share one pass. */
function passKey(request: EngineRequest): string {
  const { ablate, interventions }: Changed = isQuestion(request)
    ? request.argument
    : request.options;
  const heads = ablate?.map(({ layer, head }) => `${layer}.${head}`) ?? [];
  const changes = interventionsKey(interventions ?? []);
  return `${modelOf(request)}/${idsOf(request).join()}/${heads.join()}/${changes}`;
}

/** The keys of all forward passes that a request may need: its own, and those of donors. */
export function passKeys(request: EngineRequest): readonly string[] {
  const plain = (ids: readonly number[]): string => `${modelOf(request)}/${ids.join()}//`;
  const { interventions }: Changed = isQuestion(request) ? request.argument : request.options;
  const donors = (interventions ?? []).flatMap(({ from }) => from ? [plain(from)] : []);
  const corrupted = isQuestion(request) && request.argument.corrupted
    ? [plain(request.argument.corrupted)]
    : [];
  return [...new Set([passKey(request), ...donors, ...corrupted])];
}

/** The key of what is cached with an answer: a later request with the same key costs almost nothing. */
export function promptKey(request: EngineRequest): string {
  return `${passKey(request)}/${isQuestion(request) ? nameOf(request) : methodOf(request.options)}`;
}

/** The question, and the autoencoder that it is about. */
function nameOf({ name, argument }: Question): string {
  return argument.sae === undefined ? name : `${name}/${argument.sae}`;
}
