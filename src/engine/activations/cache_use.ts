/** How a run uses the cache: it leaves what it computed there, only looks what is there, or neither. */
export type CacheUse = "keep" | "look" | "none";
