import { type MatrixOptions, methodOf } from "../../requests/flow_options.ts";
import { isChanged } from "../../requests/interventions/changes_in.ts";

/** A request for a matrix. */
export interface FlowRequest {
  /** Token ids of the model's vocabulary: 1 to `context` of them, or 2 at least if BOS is dropped. */
  readonly ids: readonly number[];
  readonly options: MatrixOptions;
  /** Whether the caller still waits; true if it is not given. */
  isWanted?(): boolean;
}

/** A request, its index among the requests, and whether another one before it has the same prompt. */
export interface IndexedRequest extends FlowRequest {
  readonly index: number;
  readonly isRepeated: boolean;
}

/** Groups requests by prompt, in the order of each group's first. */
export function groupByPrompt(requests: readonly IndexedRequest[]): IndexedRequest[][] {
  const groups = new Map<string, IndexedRequest[]>();
  for (const request of requests) {
    const key = request.ids.join();
    const group = groups.get(key);
    if (group) group.push({ ...request, isRepeated: true });
    else groups.set(key, [request]);
  }
  return [...groups.values()];
}

/** Whether a request is for plain attention in the unchanged model: such matrices are computed together. */
export function isPlain({ options }: FlowRequest): boolean {
  return methodOf(options) === "ATTENTION" && !isChanged(options);
}

/** Whether a caller still waits for at least one of these requests. */
export function isAnyWanted(requests: readonly IndexedRequest[]): boolean {
  return requests.some(isWanted);
}

/** Whether the caller still waits for a request. */
export function isWanted(request: FlowRequest): boolean {
  return request.isWanted?.() ?? true;
}
