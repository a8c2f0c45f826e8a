/**
 * `deno task device`: says what the adapter can do, and how near to it each kernel of linears and of attention comes.
 *
 *     deno task device [--json] [--rows MOST] [--adapter NAME]
 *
 * What a kernel computes is looked at before it is timed. A product is bound by arithmetic or by the reading of its
 * weights, whichever takes longer at the measured peaks: the share is of that.
 */
import { parseArgs } from "node:util";
import { CARDS_VARIABLE, cardsIn } from "../src/cli/cards.ts";
import { requestGpu } from "../src/engine/gpu/device.ts";
import { checkLinear } from "../src/engine/kernels/check_linear.ts";
import { LinearKernel } from "../src/engine/kernels/linear.ts";
import { timeLinear } from "../src/engine/kernels/time_linear.ts";
import { rowStart } from "../src/engine/activations/packed_triangles.ts";
import { AttentionTrial } from "../src/engine/model/attention_trial.ts";
import { attentionFor, GPU_ATTENTION } from "../src/engine/tune_attention.ts";
import { TILINGS } from "../src/engine/tuning.ts";
import type { KernelRow } from "./gpu_tables.ts";
import { copyRate, dispatchRate, fmaF16Rate, fmaRate, readbackRate } from "./peaks.ts";

/** The linears of GPT-2 small. */
const SHAPES = [[768, 2304], [768, 768], [768, 3072], [3072, 768]] as const;
const ROWS = [14, 64, 256, 1024];
/** The heads of GPT-2 small. */
const HEADS = { heads: 12, channels: 768 };
/** Columns of a product that shows whether a kernel of linears suits the adapter. */
const BLOCK = 128;
/** A kernel that took this many ms is not tried with more rows. */
const LONG = 500;

const { values: { json, rows: most, adapter } } = parseArgs({
  options: {
    json: { type: "boolean" },
    rows: { type: "string", default: "1024" },
    adapter: { type: "string" },
  },
});
const gpu = await requestGpu({ adapter, cards: cardsIn(Deno.env.get(CARDS_VARIABLE)) });
const { device, info } = gpu;
const fma = await fmaRate(device);
const f16 = await fmaF16Rate();
const copy = await copyRate(device);
const [dispatch, readback] = [await dispatchRate(device), await readbackRate(device)];
const peaks = {
  gflops: fma.gflops!,
  /** In float16; nothing where the adapter has no `shader-f16`. */
  gflopsF16: f16?.gflops,
  gbs: copy.bytes! / copy.ms / 1e6,
  dispatchUs: 1000 * dispatch.ms,
  readbackMs: readback.ms,
};
const rows: KernelRow[] = [];
const add = (
  { flops, bytes, ms, ...row }:
    & Omit<KernelRow, "gflops" | "gbs" | "share">
    & { readonly flops: number; readonly bytes: number },
): void => {
  const least = Math.max(flops / peaks.gflops, bytes / peaks.gbs) / 1e6;
  rows.push({ ...row, ms, gflops: flops / ms / 1e6, gbs: bytes / ms / 1e6, share: least / ms });
};
const counts = ROWS.filter((it) => it <= Number(most));
for (const tiling of TILINGS) {
  const kernel = await LinearKernel.create(device, tiling).catch(() => undefined);
  if (!kernel || !await checkLinear(device, kernel, { inputs: SHAPES[0][0], outputs: BLOCK })) {
    leaveOut(tiling.kernel.name);
    continue;
  }
  for (const [inputs, outputs] of SHAPES) {
    if (!await checkLinear(device, kernel, { inputs, outputs })) {
      throw new Error(`${kernel.name} computes ${inputs} x ${outputs} wrong: it is not timed`);
    }
    for (const count of counts) {
      const ms = await timeLinear(device, kernel, { inputs, outputs, rows: count });
      add({
        kernel: count <= (tiling.thin?.rows ?? 0) ? tiling.thin!.kernel.name : kernel.name,
        shape: `${inputs} x ${outputs}`,
        rows: count,
        ms,
        flops: 2 * count * inputs * outputs,
        bytes: 4 * (inputs * outputs + count * (inputs + 2 * outputs)),
      });
      if (ms > LONG) break;
    }
  }
}
const { heads, channels } = HEADS;
for (const kernels of new Set([attentionFor(gpu, HEADS), ...GPU_ATTENTION])) {
  const { attending, mixing } = kernels;
  for (const tokens of counts) {
    using trial = await AttentionTrial.create(device, kernels, { ...HEADS, tokens })
      .catch(() => undefined);
    if (!trial || !await trial.isRight()) {
      leaveOut(`${attending.name} with ${mixing.name}`);
      break;
    }
    const { attend, mix } = await trial.time();
    const pairs = tokens * (tokens + 1) / 2; // of a target and a source that it sees
    const each = {
      shape: `${heads} x ${channels / heads}`,
      rows: tokens,
      flops: 2 * channels * pairs,
      bytes: 4 * (2 * tokens * channels + heads * 4 * rowStart(tokens)),
    };
    add({ kernel: attending.name, ms: attend, ...each });
    add({ kernel: mixing.name, ms: mix, ...each });
    if (attend + mix > LONG) break;
  }
}
gpu.check();
if (json) console.log(JSON.stringify({ adapter: info, peaks, rows }));
else show();
Deno.exit(0);

/** Says that a kernel needs subgroups, or more lanes of them, than the adapter has; the tuner leaves it out too. */
function leaveOut(name: string): void {
  console.error(`${name} does not suit this adapter: it is not timed`);
}

function show(): void {
  const places = info.pciAddresses.length > 0 ? ` at ${info.pciAddresses.join(" or ")}` : "";
  const kind = info.isFallback ? ", a software adapter" : "";
  console.log(`${info.description || info.vendor}${kind}${places}`);
  console.log(
    `  ${number(peaks.gflops)} GFLOP/s of fused multiply-adds${
      peaks.gflopsF16 ? `, ${number(peaks.gflopsF16)} in float16` : ""
    }, ${number(peaks.gbs)} GB/s of copies, ` +
      `${number(peaks.dispatchUs)} us a dispatch, ${number(peaks.readbackMs)} ms a readback\n`,
  );
  const table = [
    ["kernel", "shape", "rows", "ms", "GFLOP/s", "GB/s", "of the peak"],
    ...rows.map(({ kernel, shape, rows, ms, gflops, gbs, share }) =>
      [
        kernel,
        shape,
        rows,
        number(ms),
        number(gflops),
        number(gbs),
        `${Math.round(100 * share)} %`,
      ].map(String)
    ),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  for (const row of table) {
    console.log(
      row.map((it, i) => i === 0 ? it.padEnd(widths[i]!) : it.padStart(widths[i]!)).join("  "),
    );
  }
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
