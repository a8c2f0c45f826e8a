import type { Priority } from "./priority.ts";

/** The most batches at the worker: the one that it computes and the next. */
const MOST_BATCHES = 2;
/** Jobs get at least every fourth turn. */
const JOBS_TURN = 4;
/** After an interactive request, jobs take short turns, one at a time, for this many ms. */
const MOMENT_MS = 2000;

/** The waiting requests, and the batches at the worker. */
export interface Waiting {
  /** Whether an interactive request waits. */
  readonly people: boolean;
  /** Whether a prompt of a job waits. */
  readonly jobs: boolean;
  /** Batches that are at the worker, and those of jobs among them. */
  readonly atWorker: number;
  readonly jobsAtWorker: number;
}

/** Decides whose turn it is: interactive requests go first, but every fourth turn is a job's. */
export class Turns {
  /** Turns since the last one of a job. */
  #since = 0;
  #lastAsked = -Infinity;

  /** Whether there was an interactive request recently. */
  get isShared(): boolean {
    return performance.now() - this.#lastAsked < MOMENT_MS;
  }

  /** @returns Whose turn it is; undefined if the worker is busy enough, or nothing waits. */
  next({ people, jobs, atWorker, jobsAtWorker }: Waiting): Priority | undefined {
    if (people) this.#lastAsked = performance.now();
    if (atWorker >= MOST_BATCHES) return undefined;
    // While interactive requests wait, a job has one pass at the worker, so that none of them waits for two.
    const mayJobs = jobs && !(this.isShared && jobsAtWorker > 0);
    if (mayJobs && (!people || this.#since >= JOBS_TURN - 1)) {
      this.#since = 0;
      return "batch";
    }
    if (!people) return undefined;
    this.#since++;
    return "interactive";
  }
}
