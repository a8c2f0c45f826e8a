/** The interpreter of the tests' own environment, which `./run test` sets up. */
export const PYTHON: string = new URL("../../.venv/bin/python", import.meta.url).pathname;

/**
 * Runs a Python program of the tests' own environment, which `./run test` sets up.
 *
 * @param code The program; it reads `input` as JSON from stdin and prints JSON.
 * @throws {Error} With what it said, if it fails.
 */
export async function python(
  code: string,
  { input = null, args = [], env = {} }: {
    input?: unknown;
    args?: string[];
    env?: Record<string, string>;
  } = {},
): Promise<unknown> {
  const child = new Deno.Command(PYTHON, {
    args: ["-c", code, ...args],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`python: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
