/** What a prompt can make happen in `faulty_worker.ts`. */
export const FAULTS = ["worker killed", "device destroyed", "allocation failed"] as const;

/** A fault. */
export type Fault = typeof FAULTS[number];

/** The prompt that makes it happen. */
export function promptFor(fault: Fault): string {
  return `Fault: ${fault}`;
}
