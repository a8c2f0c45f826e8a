import { join } from "node:path";
import { linesOf } from "./lines.ts";
import type { Sample } from "./measure.ts";

const PEERS = new URL("peers/", import.meta.url).pathname;
const LENGTHS = [14, 64, 256];

/** The peers on this machine, ready to be measured on a model. */
export interface Peers {
  /** Files with what TransformerLens makes of some prompts. */
  readonly references: readonly string[];
  /** A file with its activation patching, once it was measured. */
  readonly patching: string;
  /** The Python that has what peers need, and where what they make is kept. */
  readonly python: string;
  readonly work: string;
  /** Runs all peers, one after the other. */
  measure(): AsyncGenerator<Sample>;
}

/**
 * Sets the peers up: a Python environment (PyTorch is large: minutes, the first time), references that TransformerLens
 * and Hugging Face agree on, and the model as an ONNX graph.
 *
 * @param cache Where all of it is kept.
 */
export async function setUpPeers(
  { model, cache, log }: { model: string; cache: string; log: (line: string) => void },
): Promise<Peers> {
  const python = await environment(join(cache, "venv"), log);
  const work = join(cache, "work");
  await Deno.mkdir(work, { recursive: true });
  const references = LENGTHS.map((T) => join(work, `ref_${T}.safetensors`));
  if (!await exists(references.at(-1)!)) {
    log("peers: computing the references");
    const tokens = ["--tokens", ...LENGTHS.map(String)];
    await run(python, [join(PEERS, "references.py"), "--model", model, "--out", work, ...tokens]);
  }
  const graph = join(work, "model.onnx");
  if (!await exists(graph)) {
    log("peers: writing the model as an ONNX graph");
    await run(python, [join(PEERS, "export_onnx.py"), "--model", model, "--out", graph]);
  }
  const referenceFlags = references.flatMap((path) => ["--reference", path]);
  const patching = join(work, "patching.json");
  return {
    references,
    patching,
    python,
    work,
    async *measure() {
      log("peers: TransformerLens");
      const lens = [join(PEERS, "transformerlens.py"), "--model", model, "--reference"];
      yield* linesOf<Sample>(python, [...lens, ...references]);
      log("peers: TransformerLens, activation patching");
      const patches = [join(PEERS, "patching.py"), "--model", model, "--out", patching];
      yield* linesOf<Sample>(python, [...patches, "--reference", references[0]!]);
      for (const script of ["onnxruntime_web.ts", "jax_js.ts"]) {
        log(`peers: ${script}`);
        const deno = ["run", "-A", "--no-lock", "--no-config", join(PEERS, script)];
        const flags = ["--model", model, "--work", work, ...referenceFlags];
        yield* linesOf<Sample>(Deno.execPath(), [...deno, ...flags]);
      }
    },
  };
}

/** A virtual environment with the packages of `requirements.txt`, made again when those have changed. */
async function environment(directory: string, log: (line: string) => void): Promise<string> {
  const python = join(directory, "bin/python");
  const wanted = join(PEERS, "requirements.txt");
  const stamp = join(directory, "requirements.txt");
  const isFresh = await exists(stamp) &&
    await Deno.readTextFile(stamp) === await Deno.readTextFile(wanted);
  if (isFresh) return python;
  log("peers: setting up Python, which takes minutes the first time");
  if (!await exists(python)) await run("python3", ["-m", "venv", directory]);
  await run(python, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    wanted,
  ]);
  await Deno.copyFile(wanted, stamp);
  return python;
}

async function run(command: string, args: string[]): Promise<void> {
  const env = { PYTHONWARNINGS: "ignore", TOKENIZERS_PARALLELISM: "false", HF_HUB_OFFLINE: "1" };
  const { success, stderr } = await new Deno.Command(command, { args, env, stdout: "null" })
    .output();
  if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
