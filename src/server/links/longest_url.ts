/** Bytes of the longest URL that is read. */
export const LONGEST_URL: number = 16 * 1024;
