/**
 * Runs all tests and ends with their count alone on a line. A test that was not run counts as failed: nothing is
 * skipped silently.
 */
const RESULTS = ".cache/tests.xml";

// What the tests do beside calling functions: write models into temporary directories, start servers on loopback,
// run Deno, Python and Chromium.
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-ffi", // Dawn, which compiles the shaders too, is a native module
  "--allow-net=127.0.0.1",
];

await Deno.mkdir(".cache", { recursive: true });
await Deno.remove(RESULTS).catch(() => {});
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "--doc", ...PERMISSIONS, `--junit-path=${RESULTS}`, ...Deno.args],
}).spawn().status;

const xml = await Deno.readTextFile(RESULTS).catch(() => "");
const total = xml.match(/<testcase /g)?.length ?? 0;
const failed = xml.match(/<failure|<error|<skipped/g)?.length ?? 0;
// A run that broke off, or found nothing to run, is no success.
const lost = code !== 0 && failed === 0 || total === 0 ? 1 : 0;
console.log(`${total - failed} passed, ${failed + lost} failed`);
Deno.exit(failed + lost === 0 ? 0 : 1);
