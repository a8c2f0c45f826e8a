/** How a run uses the cache: it adds what it computes, only reads what is there, or neither. */
export type CacheUse = "keep" | "look" | "none";
