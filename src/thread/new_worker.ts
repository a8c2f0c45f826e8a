let ahead: Worker | undefined;

/** Starts the thread of an engine before it is known what it is to load; the next {@linkcode newWorker} returns it. */
export function startAhead(): void {
  ahead ??= start();
}

/** The thread of an engine, which waits to be told what to load. */
export function newWorker(): Worker {
  const worker = ahead ?? start();
  ahead = undefined;
  return worker;
}

function start(): Worker {
  const module = new URL("./worker.ts", import.meta.url);
  return new Worker(module, { type: "module", name: "engine" });
}
