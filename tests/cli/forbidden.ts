// Tries what a server has no business with, and prints what became of it; for permissions_test.ts.
const ATTEMPTS: Record<string, () => unknown> = {
  "listens on another port": () => Deno.listen({ hostname: "127.0.0.1", port: 8001 }),
  "listens on all addresses": () => Deno.listen({ hostname: "0.0.0.0", port: 8000 }),
  "asks another server": () => fetch("http://127.0.0.1:8001/"),
  "looks up a name": () => Deno.resolveDns("infoflow.example", "A"),
  "reads the passwords": () => Deno.readTextFile("/etc/passwd"),
  "reads the project's settings": () =>
    Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  "writes to the weights": () =>
    Deno.writeTextFile(new URL("../../weights/bundled/config.json", import.meta.url), "{}"),
  "runs a program": () => new Deno.Command("true").output(),
  "looks at a variable": () => Deno.env.get("SSH_AUTH_SOCK"),
  "asks who runs it": () => Deno.uid(),
  "opens a library": () => Deno.dlopen("libc.so.6", {}),
};
for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    console.log(`${what}: it can`);
  } catch (error) {
    console.log(`${what}: ${(error as Error).name}`);
  }
}
