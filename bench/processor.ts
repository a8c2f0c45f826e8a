/** Ticks of the clock that Linux counts processor time in, a second. */
const TICKS = 100;

/** @returns Seconds of the processor that this process has taken so far, all its threads together; Linux only. */
export async function secondsOfThis(): Promise<number> {
  return (await processes()).get(Deno.pid)!.ticks / TICKS;
}

/** @returns Seconds of the processor that this process's children, and theirs, have taken so far; Linux only. */
export async function secondsOfChildren(): Promise<number> {
  const all = await processes();
  const isOurs = (pid: number): boolean => {
    const parent = all.get(pid)?.parent;
    return parent === Deno.pid || parent !== undefined && parent > 1 && isOurs(parent);
  };
  let sum = 0;
  for (const [pid, { ticks }] of all) if (isOurs(pid)) sum += ticks;
  return sum / TICKS;
}

interface Process {
  readonly parent: number;
  /** Of its own, and of its children that have ended. */
  readonly ticks: number;
}

async function processes(): Promise<Map<number, Process>> {
  const found = new Map<number, Process>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (text === "") continue; // it has ended
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    const ticks = fields[11]! + fields[12]! + fields[13]! + fields[14]!;
    found.set(Number(name), { parent: fields[1]!, ticks });
  }
  return found;
}
