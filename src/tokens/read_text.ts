/** Reads one of a model's files by its name; undefined if there is none. */
export type ReadText = (name: string) => Promise<string | undefined>;
