/**
 * The main module of the server's process. The engine's thread starts before the rest is loaded: it loads its modules
 * and the driver meanwhile.
 */
import { startAhead } from "../thread/new_worker.ts";

if (import.meta.main) {
  if (!Deno.args.includes("--version")) startAhead();
  const { runCommand } = await import("./run_command.ts");
  const { serve } = await import("./start_server.ts");
  await runCommand(serve);
}
