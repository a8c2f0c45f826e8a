/**
 * `./run bench --gpu`: everything that a machine with a GPU is asked, unattended and without a network: the kernels'
 * tests first, then the adapter's peaks, its kernels, and the engine on random weights of GPT-2 small's shape, which are
 * made here; and PyTorch on the same card, where its Python has torch and transformers. Writes FILE.json with all of it
 * and FILE.md with the tables of `docs/performance.md`.
 *
 * A software adapter goes the same way with shorter prompts, and the files say so.
 */
import { dirname, join } from "node:path";
import { requestGpu } from "../src/engine/gpu/device.ts";
import { safetensors } from "../tests/support/write_checkpoint.ts";
import { randomModel } from "../tests/support/random_model.ts";
import { parseArchitecture } from "../src/requests/architecture/families.ts";
import { gpuTables, type KernelRow, type Torch } from "./gpu_tables.ts";
import { linesOf } from "./lines.ts";
import type { Sample } from "./measure.ts";
import type { Rate } from "./peaks.ts";
import { writeReference } from "./reference.ts";

const ROOT = new URL("../", import.meta.url).pathname;
/** Prompts of a software adapter are no longer than this. */
const LONGEST_OF_SOFTWARE = 256;
/** What is compared with float64 here; PyTorch's references are longer. */
const REFERENCE_TOKENS = 14;
/** float32 in two implementations differs by 5e-6 on such a model. */
const TOLERANCE = 1e-4;

/** GPT-2 small. */
const CONFIG = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  n_layer: 12,
  n_head: 12,
  n_embd: 768,
  n_positions: 1024,
  vocab_size: 50257,
  activation_function: "gelu_new",
  layer_norm_epsilon: 1e-5,
};

/** Flags of the run. */
export interface GpuBenchOptions {
  /** Without its ending. */
  readonly out: string;
  /** A Python that may have torch and transformers. */
  readonly python: string;
}

/** Runs all of it. */
export async function benchGpu({ out, python }: GpuBenchOptions): Promise<void> {
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const log = (line: string): void => console.error(`${String(seconds()).padStart(4)} s  ${line}`);
  const measured: Record<string, unknown> = { model: CONFIG };
  /** The results so far, which are kept if the run is broken off. */
  const keep = async (part: Record<string, unknown>): Promise<void> => {
    Object.assign(measured, part, { seconds: seconds() });
    await Deno.mkdir(dirname(out), { recursive: true });
    await Deno.writeTextFile(`${out}.json`, JSON.stringify(measured, null, 2) + "\n");
  };

  const gpu = await requestGpu();
  const isSoftware = gpu.info.isFallback;
  const adapter = gpu.info.description || gpu.info.vendor;
  gpu.device.destroy();
  const longest = isSoftware ? LONGEST_OF_SOFTWARE : CONFIG.n_positions;
  log(`${adapter}${isSoftware ? `, a software adapter: prompts to ${longest} tokens only` : ""}`);
  await keep({ adapter, isSoftware, longest });

  log("the kernels' tests");
  const tests = await testKernels();
  await keep({ tests: tests.outcome });
  log("the adapter's peaks, and its kernels by shape");
  const [device] = await Array.fromAsync(
    script<{ readonly rows: KernelRow[] }>("device.ts", "--json", "--rows", String(longest)),
  );
  await keep({ device });

  log("a random model, and what float64 makes of a prompt");
  const model = await Deno.makeTempDir({ prefix: "infoflow-bench-" });
  const samples: Sample[] = [];
  const rates: Rate[] = [];
  try {
    await Deno.writeTextFile(join(model, "config.json"), JSON.stringify(CONFIG));
    const tensors = randomModel(CONFIG, 1);
    await Deno.writeFile(join(model, "model.safetensors"), safetensors(tensors));
    const architecture = parseArchitecture(JSON.stringify(CONFIG));
    const references = [join(model, "float64.safetensors")];
    await writeReference(references[0]!, { architecture, tensors, tokens: REFERENCE_TOKENS });

    const card = isSoftware ? "cpu" : "cuda";
    const torch = await torchOf(python, card);
    if (typeof torch === "string") log(`no PyTorch: ${torch}`);
    else {
      log(`PyTorch ${torch.version} on ${torch.device}`);
      const flags = ["--model", model, "--device", card, "--longest", String(longest)];
      const peer = [`${ROOT}bench/peers/torch_gpt2.py`, ...flags];
      for await (const sample of linesOf<Sample & { reference?: string }>(python, peer)) {
        if (sample.reference) references.push(sample.reference);
        else samples.push(sample);
      }
    }
    await keep({ torch, samples });

    log("the engine");
    const flags = ["--source", ROOT, "--model", model, "--longest", String(longest)];
    const compared = references.flatMap((path) => ["--reference", path]);
    for await (const sample of script<Sample>("engine.ts", ...flags, ...compared)) {
      if (!((sample.error ?? 0) <= TOLERANCE)) {
        throw new Error(`${sample.what} at T = ${sample.T} is off by ${sample.error}`);
      }
      samples.push(sample);
    }
    await keep({ samples });

    log("each kernel of a pass by itself");
    const lengths = [14, 256, 1024].filter((T) => T <= longest).flatMap((T) => ["--T", String(T)]);
    for await (const rate of script<Rate>("adapter.ts", "--model", model, ...lengths)) {
      if (rate.rate !== undefined) rates.push(rate);
    }
    await keep({ rates });
    const tables = gpuTables({
      adapter,
      isSoftware,
      samples,
      rates,
      architecture,
      torch,
      device: device!,
    });
    await Deno.writeTextFile(`${out}.md`, tables);
    console.log(tables);
  } finally {
    await Deno.remove(model, { recursive: true });
  }
  log(`${out}.json has all figures, ${out}.md the tables`);
  if (!tests.success) throw new Error(`Tests of kernels failed: ${tests.outcome}`);
}

/** Tests that fail don't end the run: a kernel that computes what is wrong here is not chosen, nor timed. */
async function testKernels(): Promise<{ readonly success: boolean; readonly outcome: string }> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", "tests/kernels", "tests/flow"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) console.error(text.slice(-4000));
  return { success, outcome: text.match(/\d+ passed.*?\d+ failed/)?.[0] ?? "no test was run" };
}

/** PyTorch as this Python has it, or why it can't be measured. */
async function torchOf(python: string, device: string): Promise<Torch | string> {
  const code = "import json, torch, transformers, safetensors\n" +
    (device === "cuda"
      ? "name = torch.cuda.get_device_name(0)"
      : "name = f'the processor, {torch.get_num_threads()} threads'") +
    "\nprint(json.dumps({'version': torch.__version__, 'device': name}))";
  try {
    const [torch] = await Array.fromAsync(linesOf<Torch>(python, ["-c", code]));
    return torch ?? "it says nothing";
  } catch (error) {
    return (error as Error).message.trim().split("\n").at(-1)!;
  }
}

function script<T>(name: string, ...flags: string[]): AsyncGenerator<T> {
  const deno = ["run", "-A", "--no-check", `--config=${ROOT}deno.json`, `${ROOT}bench/${name}`];
  return linesOf<T>(Deno.execPath(), [...deno, ...flags]);
}
