/**
 * How soon a request gets its turn: `interactive`, a user waits for this one answer; `batch`, one of many prompts of
 * a job, which takes the turns that are left. Each class has its own limit of waiting requests.
 */
export type Priority = "interactive" | "batch";
