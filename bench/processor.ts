/** Ticks of the clock that Linux counts processor time in, a second. */
const TICKS = 100;

/** @returns Seconds of the processor that this process's children, and theirs, have taken so far; Linux only. */
export async function secondsOfChildren(): Promise<number> {
  const parents = new Map<number, number>();
  const ticks = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (text === "") continue; // it has ended
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    parents.set(Number(name), fields[1]!);
    ticks.set(Number(name), fields[11]! + fields[12]! + fields[13]! + fields[14]!);
  }
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent === Deno.pid || parent !== undefined && parent > 1 && isOurs(parent);
  };
  let sum = 0;
  for (const [pid, count] of ticks) if (isOurs(pid)) sum += count;
  return sum / TICKS;
}
