import { InfoflowError } from "../../errors.ts";

/**
 * Says what is wrong with a disk in words; other errors stay as they are.
 *
 * @returns An InfoflowError DISK_FULL or the error itself.
 */
export function diskError(error: unknown, path: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  const isFull = code === "ENOSPC" || code === "EDQUOT" ||
    /no space left|quota/i.test(message ?? "");
  if (!isFull) return error;
  return new InfoflowError(
    "DISK_FULL",
    `Cannot write ${path} as the disk is full: make room and run the same command again, nothing is lost`,
  );
}
