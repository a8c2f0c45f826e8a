/** Whether all numbers of a result are finite, however deep in it they are. */
export function allFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value instanceof Float32Array || value instanceof Float64Array) {
    return value.every(Number.isFinite);
  }
  if (Array.isArray(value)) return value.every(allFinite);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return true;
  return Object.values(value).every(allFinite);
}
