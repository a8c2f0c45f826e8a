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
  "--allow-net=127.0.0.1,localhost,nowhere.invalid", // the last is a name that no host has
];

await Deno.mkdir(".cache", { recursive: true });
await Deno.remove(RESULTS).catch(() => {});
const { code, signal } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "--doc", ...PERMISSIONS, `--junit-path=${RESULTS}`, ...Deno.args],
}).spawn().status;

const xml = await Deno.readTextFile(RESULTS).catch(() => "");
const total = xml.match(/<testcase /g)?.length ?? 0;
const failed = xml.match(/<failure|<error|<skipped/g)?.length ?? 0;
const isWhole = xml.trimEnd().endsWith("</testsuites>");
// A software driver may crash when the process unloads it, after all tests have run and their results are written.
const crashedAtExit = signal !== null && isWhole && total > 0;
if (crashedAtExit) console.log(`The process ended with ${signal} when it unloaded the driver`);
// A run that broke off, or found nothing to run, is no success.
const isLost = code !== 0 && failed === 0 && !crashedAtExit || !isWhole || total === 0;
console.log(`${total - failed} passed, ${failed + Number(isLost)} failed`);
Deno.exit(failed === 0 && !isLost ? 0 : 1);
