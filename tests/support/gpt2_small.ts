import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const PYTHON = join(ROOT, ".venv/bin/python");
const DIRECTORY = join(ROOT, ".cache/gpt2-small-shape");

/**
 * The directory of a random GPT-2 of GPT-2 small's shape, with attention sinks and residual outliers in the thousands
 * as the real one has: the model of the reference data in `gpt2-small-shape/`. Made where it isn't there (498 MB).
 *
 * Its bytes are not checked: numpy's sine differs in the last bit between processors, so the file's hash does too.
 * The patterns differ by less than the tolerance of the tests.
 */
export async function gpt2SmallShape(): Promise<string> {
  const made = await Deno.stat(join(DIRECTORY, "model.safetensors")).catch(() => undefined);
  if (made) return DIRECTORY;
  // Made beside its place and moved, so that a broken-off making leaves nothing that looks whole.
  const unfinished = `${DIRECTORY}.unfinished`;
  const { success, stderr } = await new Deno.Command(PYTHON, {
    args: [join(ROOT, "bench/make_model.py"), "--out", unfinished, "--seed", "7"],
  }).output();
  if (!success) throw new Error(`make_model.py: ${new TextDecoder().decode(stderr)}`);
  await Deno.rename(unfinished, DIRECTORY);
  return DIRECTORY;
}
