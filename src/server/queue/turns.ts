import type { Priority } from "./priority.ts";

/** Batches on their way to the worker: one at work, and one there that it can turn to at once. */
const MOST_BATCHES = 2;
/** Jobs get at least every fourth turn, however many interactive requests wait. */
const JOBS_TURN = 4;
/** A user who asked within this many ms may ask again: until then jobs take short turns, one at a time. */
const MOMENT_MS = 2000;

/** What waits for a turn, and what has its turn. */
export interface Waiting {
  /** Whether an interactive request waits. */
  readonly people: boolean;
  /** Whether a prompt of a job waits. */
  readonly jobs: boolean;
  /** Batches that are at the worker, and those of jobs among them. */
  readonly atWorker: number;
  readonly jobsAtWorker: number;
}

/** Decides whose turn it is: interactive requests' as long as any wait, but every fourth is a job's. */
export class Turns {
  /** Turns since the last one of a job. */
  #since = 0;
  #lastAsked = -Infinity;

  /** Whether people asked a moment ago. */
  get isShared(): boolean {
    return performance.now() - this.#lastAsked < MOMENT_MS;
  }

  /** @returns Whose turn it is; undefined if the worker has enough to do, or nothing waits. */
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
