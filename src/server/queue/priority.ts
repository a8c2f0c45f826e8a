/**
 * The class of a request: `interactive`, if a user waits for it; `batch`, for one of many prompts of a job, which gets
 * the remaining turns. Each class has its own limit of waiting requests.
 */
export type Priority = "interactive" | "batch";
